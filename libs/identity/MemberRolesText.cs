namespace Parallax.Identity;

/// <summary>Roles in words, e.g. <c>worker,router</c>.</summary>
public static class MemberRolesText
{
    /// <summary>All roles there are.</summary>
    public const MemberRoles All = MemberRoles.Worker | MemberRoles.Router | MemberRoles.Scheduler | MemberRoles.Admin | MemberRoles.KvCache;

    private static readonly (string Name, MemberRoles Role)[] Names =
    [
        ("worker", MemberRoles.Worker), ("router", MemberRoles.Router), ("scheduler", MemberRoles.Scheduler), ("admin", MemberRoles.Admin),
        ("kvcache", MemberRoles.KvCache),
    ];

    /// <summary>The words, in the order of the roles; none for no roles.</summary>
    public static IEnumerable<string> Words(this MemberRoles roles) =>
        Names.Where(name => roles.HasFlag(name.Role)).Select(static name => name.Name);

    /// <summary>The words with commas; "member" for no roles.</summary>
    public static string ToText(this MemberRoles roles) => roles == MemberRoles.None ? "member" : string.Join(',', roles.Words());

    /// <summary>Reads words with commas; "member" adds no role. Null for anything else.</summary>
    public static MemberRoles? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var roles = MemberRoles.None;
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var found = Array.Find(Names, name => name.Name == word);
            if (found.Name is null && word != "member")
            {
                return null;
            }

            roles |= found.Role;
        }

        return roles;
    }
}
