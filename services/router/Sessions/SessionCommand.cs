namespace Parallax.Router.Sessions;

/// <summary>What the router has to tell one stage of a session's path next.</summary>
internal enum SessionCommand
{
    /// <summary>Nothing now.</summary>
    None,

    /// <summary>Open at the present epoch.</summary>
    Open,

    /// <summary>State <see cref="SessionCore.KnownAt"/> after a reconnect (rule 1).</summary>
    Rejoin,

    /// <summary>Start at <see cref="SessionCore.Keep"/>, towards <see cref="SessionCore.NextIncarnation"/>.</summary>
    Start,

    /// <summary>Acknowledge <see cref="SessionCore.Consumed"/>.</summary>
    Acknowledge,

    /// <summary>Name the standbys that the stage mirrors to, <see cref="SessionCore.MirrorsOf"/>.</summary>
    Mirror,

    /// <summary>Cancel at <see cref="SessionCore.CancelEpoch"/>.</summary>
    Cancel,
}
