using System.Numerics;
using System.Runtime.InteropServices;
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
    private readonly int _headDim;
    private readonly int _heads;

    public CpuKv(AttentionSpec attention, int blocks, ResidualPrecision precision, RopeTable rope)
        : base(blocks, BytesPerBlock(attention, precision))
    {
        Rope = rope;
        IsBf16 = precision == ResidualPrecision.BF16;
        HeadBytes = BlockBytes / attention.KvHeads;
        ValueOffset = (long)attention.HeadDim * KvGroup.BlockTokens * ElementBytes(precision);
        PaddedHeadDim = Pad(attention.HeadDim);
        _headDim = attention.HeadDim;
        _heads = attention.KvHeads;
        PlainBytes = attention.KvHeads * KvGroup.BlockTokens * 2 * attention.HeadDim * ElementBytes(precision);
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

    /// <inheritdoc/>
    public override int PlainBytes { get; }

    public static long BytesPerBlock(AttentionSpec attention, ResidualPrecision precision) =>
        (long)attention.KvHeads * KvGroup.BlockTokens * (attention.HeadDim + Pad(attention.HeadDim)) * ElementBytes(precision);

    /// <summary>The keys of one head of a block.</summary>
    public byte* Keys(int block, int head) => _buffer.Data + (block * BlockBytes) + (head * HeadBytes);

    /// <summary>The values of one head of a block.</summary>
    public byte* Values(int block, int head) => Keys(block, head) + ValueOffset;

    /// <inheritdoc/>
    public override bool Read(int block, Span<byte> plain)
    {
        Check(block, plain.Length);
        fixed (byte* target = plain)
        {
            if (IsBf16)
            {
                Copy((ushort*)target, block, isRead: true);
            }
            else
            {
                Copy((uint*)target, block, isRead: true);
            }
        }

        return IsFinite(plain);
    }

    /// <inheritdoc/>
    public override bool Write(int block, ReadOnlySpan<byte> plain)
    {
        Check(block, plain.Length);
        if (!IsFinite(plain))
        {
            return false;
        }

        fixed (byte* source = plain)
        {
            if (IsBf16)
            {
                Copy((ushort*)source, block, isRead: false);
            }
            else
            {
                Copy((uint*)source, block, isRead: false);
            }
        }

        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _buffer.Dispose();
        }
    }

    private void Check(int block, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Blocks);
        ArgumentOutOfRangeException.ThrowIfNotEqual(length, PlainBytes);
    }

    /// <summary>Between the block and its plain form: keys change places, values lose or leave their padding.</summary>
    private void Copy<T>(T* plain, int block, bool isRead)
        where T : unmanaged
    {
        for (var head = 0; head < _heads; head++)
        {
            var keys = (T*)Keys(block, head);
            if (isRead)
            {
                for (var slot = 0; slot < KvGroup.BlockTokens; slot++, plain += _headDim)
                {
                    for (var d = 0; d < _headDim; d++)
                    {
                        plain[d] = keys[(d * KvGroup.BlockTokens) + slot];
                    }
                }
            }
            else
            {
                for (var slot = 0; slot < KvGroup.BlockTokens; slot++, plain += _headDim)
                {
                    for (var d = 0; d < _headDim; d++)
                    {
                        keys[(d * KvGroup.BlockTokens) + slot] = plain[d];
                    }
                }
            }

            var values = (T*)Values(block, head);
            for (var slot = 0; slot < KvGroup.BlockTokens; slot++, plain += _headDim, values += PaddedHeadDim)
            {
                var stored = new Span<T>(values, _headDim);
                var outside = new Span<T>(plain, _headDim);
                if (isRead)
                {
                    stored.CopyTo(outside);
                }
                else
                {
                    outside.CopyTo(stored);
                }
            }
        }
    }

    /// <summary>Whether no value has all bits of its exponent set.</summary>
    private bool IsFinite(ReadOnlySpan<byte> plain) => IsBf16
        ? HasNone(MemoryMarshal.Cast<byte, ushort>(plain), (ushort)0x7F80)
        : HasNone(MemoryMarshal.Cast<byte, uint>(plain), 0x7F80_0000u);

    private static bool HasNone<T>(ReadOnlySpan<T> values, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new Vector<T>(exponent);
        var i = 0;
        for (; i + Vector<T>.Count <= values.Length; i += Vector<T>.Count)
        {
            if (Vector.EqualsAny(new Vector<T>(values[i..]) & mask, mask))
            {
                return false;
            }
        }

        for (; i < values.Length; i++)
        {
            if ((values[i] & exponent) == exponent)
            {
                return false;
            }
        }

        return true;
    }

    private static int Pad(int headDim) => (headDim + 15) / 16 * 16;

    private static int ElementBytes(ResidualPrecision precision) => precision == ResidualPrecision.BF16 ? 2 : 4;
}
