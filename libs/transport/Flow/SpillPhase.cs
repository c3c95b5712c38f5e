namespace Parallax.Transport.Flow;

/// <summary>How far a spilled chunk is.</summary>
internal enum SpillPhase
{
    /// <summary>Waits to be written.</summary>
    Queued,

    /// <summary>Is being written.</summary>
    Writing,

    /// <summary>In the file.</summary>
    Written,

    /// <summary>Could not be written, read, or what was read was damaged: as if it had been dropped.</summary>
    Lost,
}
