using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Cli.Swarm;

/// <summary>Workers as people name them. Pure.</summary>
internal static class WorkerNames
{
    /// <summary>
    /// The id of the one worker whose id begins so, or that has that name: of those that are there, else of those that the
    /// plan gives something. A whole id is taken as it is.
    /// </summary>
    /// <exception cref="SwarmCommandException">It is none, or several.</exception>
    public static string Find(SwarmStatus status, string text)
    {
        if (PeerId.TryParse(text, out var id))
        {
            return id.ToString();
        }

        var isPresent = status.Workers.Any(worker => Begins(worker.WorkerId, text) || worker.Name == text);
        var gone = isPresent ? [] : (status.Plan?.Shards ?? []).Select(static shard => shard.WorkerId)
            .Concat(status.Plan?.Drain ?? []).Where(one => Begins(one, text)).Distinct(StringComparer.Ordinal).ToList();
        return gone switch
        {
            [] => LeaveCommand.Find(status, text).WorkerId,
            [var one] => one,
            _ => throw new SwarmCommandException($"'{text}' is not one worker: {string.Join(", ", gone)}."),
        };
    }

    /// <summary>The beginning of an id and, where it is known, the name.</summary>
    public static string Of(SwarmStatus status, string id)
    {
        var name = status.Workers.FirstOrDefault(worker => worker.WorkerId == id)?.Name ?? "";
        var known = id.Length > 8 ? id[..8] : id;
        return name.Length == 0 ? known : $"{known} ({Printable(name)})";
    }

    /// <summary>What others say of themselves must not move the cursor.</summary>
    public static string Printable(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));

    private static bool Begins(string id, string text) => text.Length > 0 && id.StartsWith(text, StringComparison.OrdinalIgnoreCase);
}
