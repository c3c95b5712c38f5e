namespace Parallax.Router.Sessions;

/// <summary>
/// The router's rules for a session, each of which can be switched off so that a test can show what it is for. Everything
/// that is not a test runs with <see cref="All"/>.
/// </summary>
[Flags]
internal enum SessionRules
{
    None = 0,

    /// <summary>Start (Resume) goes to all stages of the path, not to the head alone (rule 2; finding F1).</summary>
    StartToAll = 1 << 0,

    /// <summary>Start (Resume) goes out when every stage of the path has acknowledged this epoch (rule 5; F10).</summary>
    StartWaitsForAll = 1 << 1,

    /// <summary>Acknowledgements, tokens and ends of another epoch are ignored (rules 1 and 8).</summary>
    EpochCheck = 1 << 2,

    /// <summary>Resume keeps N-1 positions: position N-1 always runs again, so that the tail samples token N (rule 5).</summary>
    LastPositionRunsAgain = 1 << 3,

    /// <summary>A worker that comes back as another incarnation has lost the session (rule 4).</summary>
    IncarnationCheck = 1 << 4,

    /// <summary>What was said on an earlier connection is said again on the next (rules 1 and 10; F10).</summary>
    RepeatOnReconnect = 1 << 5,

    All = (1 << 6) - 1,
}
