using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Parallax.Transport.Compression;

/// <summary>
/// 8-bit block compression of a row: blocks of 32 elements, each one f32 scale s = max|x| / 127 and 32 signed bytes
/// q = round(x / s), half to even; the last block is padded with zeros. Value = s * q.
/// </summary>
/// <remarks>
/// Error of an element: at most s/2 + rounding, asserted as |x - x'| &lt;= max|x| of its block * (1/254 + 2^-20).
/// A block with a NaN or an infinity gets a NaN scale: every element decodes to NaN, so that a broken stage is seen and
/// not smoothed over. A block of zeros, or whose scale would be subnormal, has scale 0. Not exact: a numeric class of its own.
/// </remarks>
public static class Q8Block
{
    /// <summary>Elements a block.</summary>
    public const int BlockSize = 32;

    /// <summary>Bytes of a block: scale and values.</summary>
    public const int BlockBytes = sizeof(float) + BlockSize;

    // Below this max|x| / 127 would be subnormal and 1 / s infinite.
    private const float SmallestMaximum = 127 * 1.17549435e-38f * 4;

    /// <summary>Bytes that <paramref name="count"/> elements take.</summary>
    public static int EncodedBytes(int count) => (count + BlockSize - 1) / BlockSize * BlockBytes;

    /// <summary>Encodes a row.</summary>
    /// <exception cref="ArgumentException">The target is not <see cref="EncodedBytes"/> long.</exception>
    public static void Encode(ReadOnlySpan<float> values, Span<byte> target)
    {
        CheckLengths(values.Length, target.Length);
        Span<float> padded = stackalloc float[BlockSize];
        for (; values.Length > 0; target = target[BlockBytes..])
        {
            if (values.Length >= BlockSize)
            {
                EncodeBlock(values[..BlockSize], target);
                values = values[BlockSize..];
                continue;
            }

            padded.Clear();
            values.CopyTo(padded);
            EncodeBlock(padded, target);
            values = [];
        }
    }

    /// <summary>Decodes a row.</summary>
    /// <exception cref="ArgumentException">The source is not <see cref="EncodedBytes"/> long.</exception>
    public static void Decode(ReadOnlySpan<byte> source, Span<float> values)
    {
        CheckLengths(values.Length, source.Length);
        for (; values.Length > 0; source = source[BlockBytes..])
        {
            var scale = BinaryPrimitives.ReadSingleLittleEndian(source);
            var quantised = MemoryMarshal.Cast<byte, sbyte>(source[sizeof(float)..BlockBytes]);
            var count = Math.Min(BlockSize, values.Length);
            var i = 0;
            if (Vector.IsHardwareAccelerated)
            {
                for (; i + Vector<sbyte>.Count <= count; i += Vector<sbyte>.Count)
                {
                    Vector.Widen(new Vector<sbyte>(quantised[i..]), out var low, out var high);
                    Scale(low, scale, values[i..]);
                    Scale(high, scale, values[(i + Vector<short>.Count)..]);
                }
            }

            for (; i < count; i++)
            {
                values[i] = scale * quantised[i];
            }

            values = values[count..];
        }
    }

    private static void Scale(Vector<short> quantised, float scale, Span<float> values)
    {
        Vector.Widen(quantised, out var low, out var high);
        (Vector.ConvertToSingle(low) * scale).CopyTo(values);
        (Vector.ConvertToSingle(high) * scale).CopyTo(values[Vector<float>.Count..]);
    }

    private static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> target)
    {
        var (maximum, finite) = Maximum(values);
        var quantised = target[sizeof(float)..BlockBytes];
        if (!finite || maximum < SmallestMaximum)
        {
            // sbyte 1 under a NaN scale gives NaN; 0 would too, 1 says so on purpose.
            quantised.Fill(finite ? (byte)0 : (byte)1);
            BinaryPrimitives.WriteSingleLittleEndian(target, finite ? 0 : float.NaN);
            return;
        }

        var scale = maximum / 127;
        if (!float.IsFinite(scale * 127))
        {
            scale = MathF.BitDecrement(scale); // the largest floats must not decode to infinity
        }

        var inverse = 127 / maximum;
        BinaryPrimitives.WriteSingleLittleEndian(target, scale);
        var signed = MemoryMarshal.Cast<byte, sbyte>(quantised);
        for (var i = 0; i < BlockSize; i++)
        {
            signed[i] = (sbyte)Math.Clamp(MathF.Round(values[i] * inverse), -127, 127);
        }
    }

    private static (float Maximum, bool Finite) Maximum(ReadOnlySpan<float> values)
    {
        var maxima = Vector<float>.Zero;
        var sum = Vector<float>.Zero;
        for (var i = 0; i < BlockSize; i += Vector<float>.Count)
        {
            var magnitude = Vector.Abs(new Vector<float>(values[i..]));
            maxima = Vector.Max(maxima, magnitude);
            sum += magnitude * Vector<float>.Zero; // NaN for NaN and infinity, else 0
        }

        var maximum = 0f;
        for (var i = 0; i < Vector<float>.Count; i++)
        {
            maximum = Math.Max(maximum, maxima[i]);
        }

        return (maximum, Vector.Dot(sum, Vector<float>.One) == 0);
    }

    private static void CheckLengths(int count, int bytes)
    {
        if (bytes != EncodedBytes(count))
        {
            throw new ArgumentException($"{count} elements take {EncodedBytes(count)} bytes as 8-bit blocks, not {bytes}.");
        }
    }
}
