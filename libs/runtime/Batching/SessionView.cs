namespace Parallax.Runtime.Batching;

/// <summary>One session as the scheduler sees it.</summary>
internal readonly record struct SessionView
{
    /// <summary>What may be done with it.</summary>
    public SessionPhase Phase { get; init; }

    /// <summary>Index of its client's service counter.</summary>
    public int Client { get; init; }

    /// <summary>Leading positions that are computed.</summary>
    public int Applied { get; init; }

    /// <summary>Known token ids whose positions are not computed; the last one's logits give the next token.</summary>
    public int Remaining { get; init; }

    /// <summary>Blocks that its tables cover, per group.</summary>
    public int CoveredBlocks { get; init; }

    /// <summary>Waits for its router's acknowledgement: nothing is computed.</summary>
    public bool Paused { get; init; }

    /// <summary>How often another session was admitted while this one, next in turn, did not fit.</summary>
    public int Bypassed { get; init; }

    /// <summary>Identifies the next full block; of sessions with equal values one computes it for all. Null for none.</summary>
    public UInt128? NextBlock { get; init; }

    /// <summary>Whether it was admitted.</summary>
    public bool IsRunning => Phase is SessionPhase.Prefilling or SessionPhase.Decoding;
}
