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

    /// <summary>
    /// Positions that the session is known to need in all, when that is more than <see cref="Applied"/> and
    /// <see cref="Remaining"/>: a stage knows a prompt's length before it has the rows. 0 for none.
    /// </summary>
    public int Known { get; init; }

    /// <summary>Waits for its router's acknowledgement: nothing is computed.</summary>
    public bool Paused { get; init; }

    /// <summary>
    /// Runs, but has nothing to compute until a token or rows arrive: it gets no row, and keeps its place, and its blocks
    /// against all that are younger. Takes precedence over <see cref="Paused"/>.
    /// </summary>
    public bool Idle { get; init; }

    /// <summary>Since when a decoding session has had its row to compute, in any unit: who waits longest is chosen first.</summary>
    public long ReadySince { get; init; }

    /// <summary>How often another session was admitted while this one, next in turn, did not fit.</summary>
    public int Bypassed { get; init; }

    /// <summary>Identifies the next full block; of sessions with equal values one computes it for all. Null for none.</summary>
    public UInt128? NextBlock { get; init; }

    /// <summary>Whether it was admitted.</summary>
    public bool IsRunning => Phase is SessionPhase.Prefilling or SessionPhase.Decoding;

    /// <summary>Whether anything may be computed for it, once it runs.</summary>
    public bool IsRunnable => !Paused && !Idle;
}
