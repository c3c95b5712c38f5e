namespace Parallax.Runtime.Batching;

/// <summary>What the scheduler may do with a session.</summary>
internal enum SessionPhase
{
    /// <summary>Opened, not started: it can only give back the prefix that it holds.</summary>
    Opened,

    /// <summary>Wants to run.</summary>
    Waiting,

    /// <summary>Admitted; tokens of prompt (or of an interrupted answer) are still to be computed.</summary>
    Prefilling,

    /// <summary>Admitted; one position per token.</summary>
    Decoding,
}
