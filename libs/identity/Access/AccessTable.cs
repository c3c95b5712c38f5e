using System.Collections.Frozen;

namespace Parallax.Identity.Access;

/// <summary>Who may call what on a member's port; what it does not name, nobody may. Pure.</summary>
internal sealed class AccessTable
{
    /// <summary>The calls that this repository's members have.</summary>
    public static readonly IReadOnlyList<AccessEntry> Standard =
    [
        new("parallax.v1.Membership/Join", AccessRule.Anybody),
        new("parallax.v1.Membership", AccessRule.Members),
        new("parallax.v1.Overlay", AccessRule.Members),
        new("parallax.v1.Swarm", AccessRule.Members),
        new("parallax.v1.Swarm/Leave", AccessRule.Of(MemberRoles.Admin | MemberRoles.Scheduler)),
        new("parallax.v1.Worker", AccessRule.Members),
        new("parallax.v1.Worker/Control", AccessRule.Of(MemberRoles.Router)),
        new("parallax.v1.Worker/Attach", AccessRule.Of(MemberRoles.Router)),
        new("parallax.v1.Worker/LoadShard", AccessRule.Of(MemberRoles.Admin | MemberRoles.Scheduler)),
        new("parallax.v1.Worker/UnloadShard", AccessRule.Of(MemberRoles.Admin | MemberRoles.Scheduler)),
        new("parallax.transport.v1.Links", AccessRule.Of(MemberRoles.Worker)),
        new("grpc.health.v1.Health", AccessRule.Members),
    ];

    private readonly FrozenDictionary<string, AccessRule> _rules;
    private readonly FrozenSet<string> _services;

    /// <param name="further">Lines beside <see cref="Standard"/>; they may replace some of it.</param>
    public AccessTable(IEnumerable<AccessEntry> further)
    {
        var rules = new Dictionary<string, AccessRule>(StringComparer.Ordinal);
        foreach (var entry in Standard.Concat(further))
        {
            rules[entry.Calls] = entry.Rule;
        }

        _rules = rules.ToFrozenDictionary(StringComparer.Ordinal);
        _services = rules.Keys.Select(static calls => calls.Split('/')[0]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>
    /// The rule of a call; null for what the table does not name. Exact: the server's routing is more lenient about the case
    /// of letters, and what it would find by leniency is refused here.
    /// </summary>
    /// <param name="path">The request's path, <c>/service/method</c>.</param>
    public AccessRule? Find(string path)
    {
        if (path.Length < 2 || path[0] != '/')
        {
            return null;
        }

        var call = path[1..];
        var slash = call.IndexOf('/', StringComparison.Ordinal);
        return slash <= 0 || slash == call.Length - 1 || call.LastIndexOf('/') != slash ? null
            : _rules.TryGetValue(call, out var method) ? method
            : _rules.TryGetValue(call[..slash], out var service) ? service
            : null;
    }

    /// <summary>Whether a path leads to a service that the table names, as lenient as the server's routing may be.</summary>
    /// <param name="path">The request's path.</param>
    public bool Names(string path) => _services.Contains(path.TrimStart('/').Split('/')[0]);
}
