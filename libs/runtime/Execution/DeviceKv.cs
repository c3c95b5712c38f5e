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

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the device memory; idempotent.</summary>
    protected abstract void Dispose(bool disposing);
}
