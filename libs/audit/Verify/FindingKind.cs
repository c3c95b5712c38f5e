namespace Parallax.Audit.Verify;

/// <summary>What was found.</summary>
public enum FindingKind
{
    /// <summary>An event is not what was written.</summary>
    Altered,

    /// <summary>An event from the middle, or a whole stream, is gone.</summary>
    Deleted,

    /// <summary>An event stands where none was written.</summary>
    Inserted,

    /// <summary>Events stand in another order, or in another stream, than they were written.</summary>
    Reordered,

    /// <summary>The last events of a stream are gone.</summary>
    CutOff,

    /// <summary>A signature, or the key it should be of, is not the writer's.</summary>
    Forged,

    /// <summary>Events that no signature vouches for, though one should.</summary>
    Unvouched,

    /// <summary>A writer that is not of the swarm, or not among those who are trusted.</summary>
    Untrusted,

    /// <summary>Two signed statements cannot both be true.</summary>
    Contradiction,

    /// <summary>Written by a newer program than this one.</summary>
    Newer,

    /// <summary>Something that cannot be known.</summary>
    Unknown,
}
