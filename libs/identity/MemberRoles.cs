namespace Parallax.Identity;

/// <summary>What a member may do in its swarm. Its certificate names them; a join token grants them.</summary>
[Flags]
public enum MemberRoles
{
    /// <summary>A member and nothing else: may look and listen.</summary>
    None = 0,

    /// <summary>Holds layers: links with other workers, gives and takes weights.</summary>
    Worker = 1,

    /// <summary>Opens sessions at workers.</summary>
    Router = 2,

    /// <summary>Publishes plans, loads and unloads layers, asks members to leave.</summary>
    Scheduler = 4,

    /// <summary>Gives an operator's commands.</summary>
    Admin = 8,

    /// <summary>Keeps KV blocks for workers.</summary>
    KvCache = 16,
}
