namespace Parallax.Router.Sessions;

/// <summary>What a worker's message means for a session.</summary>
internal enum SessionTurn
{
    /// <summary>It goes on, or is as it was.</summary>
    None,

    /// <summary>It has ended by this.</summary>
    Ended,

    /// <summary>A stage is lost: it goes on when it has a path.</summary>
    NeedsPath,
}
