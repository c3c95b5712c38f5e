using Parallax.Transport.Buffers;

namespace Parallax.Transport.Flow;

/// <summary>A journal chunk that is in the spill file, or on its way there. Changed under the lock of <see cref="SpillStore"/>.</summary>
internal sealed class SpilledChunk(long slot, TensorBuffer bytes)
{
    /// <summary>Its place in the file, in slots.</summary>
    public long Slot { get; } = slot;

    /// <summary>Bytes it has.</summary>
    public int Length { get; } = bytes.Length;

    /// <summary>Where the bytes are.</summary>
    public SpillPhase Phase { get; set; } = SpillPhase.Queued;

    /// <summary>The bytes, while they are in memory: until they are written, and again when they have been read back.</summary>
    public TensorBuffer? Bytes { get; set; } = bytes;

    /// <summary>Whether the journal is reading it: its bytes stay in memory then.</summary>
    public bool IsWanted { get; set; }

    /// <summary>Whether it is being read back.</summary>
    public bool IsReading { get; set; }

    /// <summary>Whether the journal has let go of it.</summary>
    public bool IsReleased { get; set; }

    /// <summary>CRC-32C of the bytes. The I/O thread's alone.</summary>
    public uint Checksum { get; set; }
}
