namespace Parallax.Runtime.Execution;

/// <summary>The KV blocks of one layer on a backend.</summary>
/// <param name="blocks">Physical blocks of <see cref="KvGroup.BlockTokens"/> positions.</param>
/// <param name="blockBytes">Bytes of one block, keys and values.</param>
public abstract class DeviceKv(int blocks, long blockBytes) : IDisposable
{
    /// <summary>Physical blocks.</summary>
    public int Blocks { get; } = blocks;

    /// <summary>Bytes of one block, keys and values.</summary>
    public long BlockBytes { get; } = blockBytes;

    /// <summary>Bytes of one block as <see cref="Read"/> writes it.</summary>
    public abstract int PlainBytes { get; }

    /// <summary>
    /// Copies a block out in a form that no backend's layout shows in: per KV head, keys [16, headDim], then values
    /// [16, headDim], little-endian, in the KV precision's bits.
    /// </summary>
    /// <param name="block">The physical block; all of its positions have been stored.</param>
    /// <param name="plain"><see cref="PlainBytes"/> bytes.</param>
    /// <returns>False when a value is not a finite number: nobody else must be given it.</returns>
    public abstract bool Read(int block, Span<byte> plain);

    /// <summary>The inverse of <see cref="Read"/>; false, and nothing is written, when a value is not a finite number.</summary>
    public abstract bool Write(int block, ReadOnlySpan<byte> plain);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the device memory; idempotent.</summary>
    protected abstract void Dispose(bool disposing);
}
