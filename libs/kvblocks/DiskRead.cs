namespace Parallax.KvBlocks;

/// <summary>What came of a read from disk.</summary>
internal enum DiskRead
{
    /// <summary>The bytes are there and are right.</summary>
    Ok,

    /// <summary>The segment is gone: the part has moved or been given up meanwhile.</summary>
    Gone,

    /// <summary>The bytes are not those that were written, or could not be read.</summary>
    Bad,
}
