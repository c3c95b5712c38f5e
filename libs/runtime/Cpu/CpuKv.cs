using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Cpu;

/// <summary>
/// One layer's KV blocks. A block holds, per KV head, keys [headDim, 16] (a lane is a position) and values
/// [16, headDim padded to 16] (a lane is a dimension), in bf16 or f32.
/// </summary>
internal sealed unsafe class CpuKv : DeviceKv
{
    private readonly CpuBuffer _buffer;

    public CpuKv(AttentionSpec attention, int blocks, ResidualPrecision precision, RopeTable rope)
        : base(blocks, BytesPerBlock(attention, precision))
    {
        Rope = rope;
        IsBf16 = precision == ResidualPrecision.BF16;
        HeadBytes = BlockBytes / attention.KvHeads;
        ValueOffset = (long)attention.HeadDim * KvGroup.BlockTokens * ElementBytes(precision);
        PaddedHeadDim = Pad(attention.HeadDim);
        _buffer = new CpuBuffer(Math.Max(1, blocks * BlockBytes));
    }

    /// <summary>The layer's rotations; shared, not owned.</summary>
    public RopeTable Rope { get; }

    /// <summary>Whether elements are bf16; else f32.</summary>
    public bool IsBf16 { get; }

    /// <summary>Bytes of one head in a block.</summary>
    public long HeadBytes { get; }

    /// <summary>Where a head's values begin, in bytes.</summary>
    public long ValueOffset { get; }

    /// <summary>Elements of one position's values.</summary>
    public int PaddedHeadDim { get; }

    public static long BytesPerBlock(AttentionSpec attention, ResidualPrecision precision) =>
        (long)attention.KvHeads * KvGroup.BlockTokens * (attention.HeadDim + Pad(attention.HeadDim)) * ElementBytes(precision);

    /// <summary>The keys of one head of a block.</summary>
    public byte* Keys(int block, int head) => _buffer.Data + (block * BlockBytes) + (head * HeadBytes);

    /// <summary>The values of one head of a block.</summary>
    public byte* Values(int block, int head) => Keys(block, head) + ValueOffset;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _buffer.Dispose();
        }
    }

    private static int Pad(int headDim) => (headDim + 15) / 16 * 16;

    private static int ElementBytes(ResidualPrecision precision) => precision == ResidualPrecision.BF16 ? 2 : 4;
}
