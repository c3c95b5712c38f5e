using Parallax.Transport.Buffers;

namespace Parallax.Transport.Flow;

/// <summary>What the I/O thread is to do.</summary>
internal enum SpillWorkKind
{
    /// <summary>Write <see cref="SpillWork.Bytes"/>.</summary>
    Write,

    /// <summary>Read the chunk back.</summary>
    Read,

    /// <summary>Nothing in the file is needed any more: give its space back.</summary>
    Clear,
}

/// <summary>One piece of I/O.</summary>
/// <param name="Kind">What.</param>
/// <param name="Chunk">Of which chunk; null for Clear.</param>
/// <param name="Bytes">What to write; the I/O thread disposes it.</param>
internal readonly record struct SpillWork(SpillWorkKind Kind, SpilledChunk? Chunk, TensorBuffer? Bytes);
