using System.Numerics;
using System.Runtime.InteropServices;
using Parallax.Runtime.Numerics;
using Parallax.Transport.Compression;
using Parallax.Transport.Framing;

namespace Parallax.Pipeline.Stages;

/// <summary>Hidden states between f32, as backends compute, and the bytes of a row on a link.</summary>
internal static class RowCodec
{
    /// <summary>Writes rows in their wire form.</summary>
    /// <param name="values">[rows, width].</param>
    /// <param name="width">Elements of a row.</param>
    /// <param name="type">The wire's form. For bf16 the values must be bf16 values already, as a residual stream of that class is: nothing is rounded here.</param>
    /// <param name="bytes">[rows, row bytes].</param>
    public static void Encode(ReadOnlySpan<float> values, int width, TensorType type, Span<byte> bytes)
    {
        switch (type)
        {
            case TensorType.Bf16:
                ToBf16(values, MemoryMarshal.Cast<byte, ushort>(bytes));
                break;
            case TensorType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(bytes);
                break;
            case TensorType.Q8Block:
                var rowBytes = Q8Block.EncodedBytes(width);
                for (var row = 0; row * width < values.Length; row++)
                {
                    Q8Block.Encode(values.Slice(row * width, width), bytes.Slice(row * rowBytes, rowBytes));
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "no form of hidden states");
        }
    }

    /// <summary>The inverse of <see cref="Encode"/>.</summary>
    public static void Decode(ReadOnlySpan<byte> bytes, int width, TensorType type, Span<float> values)
    {
        switch (type)
        {
            case TensorType.Bf16:
                FromBf16(MemoryMarshal.Cast<byte, ushort>(bytes), values);
                break;
            case TensorType.F32:
                bytes.CopyTo(MemoryMarshal.AsBytes(values));
                break;
            case TensorType.Q8Block:
                var rowBytes = Q8Block.EncodedBytes(width);
                for (var row = 0; row * width < values.Length; row++)
                {
                    Q8Block.Decode(bytes.Slice(row * rowBytes, rowBytes), values.Slice(row * width, width));
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "no form of hidden states");
        }
    }

    private static void ToBf16(ReadOnlySpan<float> values, Span<ushort> target)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var i = 0;
        for (; i + Vector<ushort>.Count <= bits.Length; i += Vector<ushort>.Count)
        {
            var low = new Vector<uint>(bits[i..]) >>> 16;
            var high = new Vector<uint>(bits[(i + Vector<uint>.Count)..]) >>> 16;
            Vector.Narrow(low, high).CopyTo(target[i..]);
        }

        for (; i < bits.Length; i++)
        {
            target[i] = (ushort)(bits[i] >> 16);
        }
    }

    private static void FromBf16(ReadOnlySpan<ushort> bits, Span<float> values)
    {
        var target = MemoryMarshal.Cast<float, uint>(values);
        var i = 0;
        for (; i + Vector<ushort>.Count <= bits.Length; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(bits[i..]), out var low, out var high);
            (low << 16).CopyTo(target[i..]);
            (high << 16).CopyTo(target[(i + Vector<uint>.Count)..]);
        }

        for (; i < bits.Length; i++)
        {
            values[i] = HalfFloats.FromBf16(bits[i]);
        }
    }
}
