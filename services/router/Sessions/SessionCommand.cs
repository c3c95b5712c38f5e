namespace Parallax.Router.Sessions;

/// <summary>What the router has to tell a worker about a session next.</summary>
internal enum SessionCommand
{
    /// <summary>Nothing now.</summary>
    None,

    /// <summary>Open at the present epoch.</summary>
    Open,

    /// <summary>State N after a reconnect (rule 1).</summary>
    Rejoin,

    /// <summary>Start at <see cref="SessionCore.Keep"/>.</summary>
    Start,

    /// <summary>Acknowledge <see cref="SessionCore.Known"/>.</summary>
    Acknowledge,

    /// <summary>Cancel.</summary>
    Cancel,
}
