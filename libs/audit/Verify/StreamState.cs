namespace Parallax.Audit.Verify;

/// <summary>What is remembered of a stream while events go by: as little as can be, because there may be millions.</summary>
internal struct StreamState
{
    /// <summary>The hash of the last event.</summary>
    public Hash256 Head;

    /// <summary>The greatest number seen.</summary>
    public long Length;

    /// <summary>How far signed checkpoints vouch for it.</summary>
    public long Listed;

    /// <summary>Index of its writer's term; -1 where its first event does not say.</summary>
    public int Term;

    /// <summary>Whether the last event is not what was written, so that the next one cannot follow from it.</summary>
    public bool IsBroken;

    /// <summary>Whether anything was found in it: what follows from that is not found again.</summary>
    public bool IsDamaged;

    /// <summary>Whether its last event ended it.</summary>
    public bool HasEnded;
}
