using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace Parallax.Transport.Buffers;

/// <summary>
/// The memory that Kestrel receives into, in blocks of 64 KiB. Its own pool has 4 KiB, so that a prefill frame of 256 KiB
/// costs 64 receive calls and as many pieces. Idle connections hold no block. Thread-safe.
/// </summary>
internal sealed class SocketBufferPool : MemoryPool<byte>
{
    /// <summary>Holds four HTTP/2 frames, which are 16 KiB whatever the peer would take.</summary>
    public const int BlockBytes = 64 * 1024;

    private const int MaxIdleBlocks = 256; // 16 MiB

    private readonly Lock _lock = new(); // guards _idle
    private readonly Stack<Block> _idle = new();

    public override int MaxBufferSize => BlockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        lock (_lock)
        {
            if (_idle.TryPop(out var block))
            {
                return block;
            }
        }

        return new Block(this);
    }

    protected override void Dispose(bool disposing)
    {
        // Blocks are the collector's; those that are out still come back.
    }

    private void Return(Block block)
    {
        lock (_lock)
        {
            if (_idle.Count < MaxIdleBlocks)
            {
                _idle.Push(block);
            }
        }
    }

    /// <summary>Gives every server its pool.</summary>
    internal sealed class Factory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new SocketBufferPool();
    }

    private sealed class Block(SocketBufferPool pool) : IMemoryOwner<byte>
    {
        // Pinned for good, so that a receive need not pin.
        public Memory<byte> Memory { get; } = System.Runtime.InteropServices.MemoryMarshal.CreateFromPinnedArray(
            GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);

        public void Dispose() => pool.Return(this);
    }
}
