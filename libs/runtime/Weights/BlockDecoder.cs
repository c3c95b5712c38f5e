using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Parallax.Runtime.Weights;

/// <summary>
/// Decodes stored elements to f32, one scalar operation at a time: the reference that kernels are tested against.
/// Block layouts are those of GGUF; d, m are f16 scale and minimum, q the quants.
/// </summary>
public static class BlockDecoder
{
    /// <summary>Decodes one row.</summary>
    /// <param name="format">How the row is encoded.</param>
    /// <param name="row">Whole blocks.</param>
    /// <param name="values">Receives every element of the row.</param>
    /// <exception cref="ArgumentException">The sizes do not match.</exception>
    public static void Decode(TensorFormat format, ReadOnlySpan<byte> row, Span<float> values)
    {
        if (format.RowBytes(values.Length) != row.Length)
        {
            throw new ArgumentException($"{row.Length} bytes are not a row of {values.Length} elements of {format}", nameof(row));
        }

        var blockBytes = format.BlockBytes();
        var blockElements = format.BlockElements();
        for (int at = 0, element = 0; at < row.Length; at += blockBytes, element += blockElements)
        {
            DecodeBlock(format, row.Slice(at, blockBytes), values.Slice(element, blockElements));
        }
    }

    private static void DecodeBlock(TensorFormat format, ReadOnlySpan<byte> block, Span<float> values)
    {
        switch (format)
        {
            case TensorFormat.F32:
                values[0] = BinaryPrimitives.ReadSingleLittleEndian(block);
                break;
            case TensorFormat.F16:
                values[0] = Half(block);
                break;
            case TensorFormat.BF16:
                values[0] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(block) << 16);
                break;
            case TensorFormat.Q4_0:
                Nibbles(block[2..], 0, 0, -8, Half(block), 0, values);
                break;
            case TensorFormat.Q4_1:
                Nibbles(block[4..], 0, 0, 0, Half(block), Half(block[2..]), values);
                break;
            case TensorFormat.Q5_0:
                Nibbles(block[6..], BinaryPrimitives.ReadUInt32LittleEndian(block[2..]), 4, -16, Half(block), 0, values);
                break;
            case TensorFormat.Q5_1:
                Nibbles(block[8..], BinaryPrimitives.ReadUInt32LittleEndian(block[4..]), 4, 0, Half(block), Half(block[2..]), values);
                break;
            case TensorFormat.Q8_0:
                var quants = MemoryMarshal.Cast<byte, sbyte>(block[2..]);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = Half(block) * quants[i];
                }

                break;
            case TensorFormat.Q4_K:
                FourOrFiveBitSuperBlock(block, default, block[16..], values);
                break;
            case TensorFormat.Q5_K:
                FourOrFiveBitSuperBlock(block, block.Slice(16, 32), block[48..], values);
                break;
            case TensorFormat.Q6_K:
                SixBitSuperBlock(block, values);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "unknown tensor format");
        }
    }

    /// <summary>32 elements: the low nibbles are elements 0..15, the high ones 16..31; bit i of highBits is element i's fifth bit.</summary>
    private static void Nibbles(ReadOnlySpan<byte> quants, uint highBits, int highShift, int bias, float scale, float minimum, Span<float> values)
    {
        for (var i = 0; i < 32; i++)
        {
            var nibble = i < 16 ? quants[i] & 15 : quants[i - 16] >> 4;
            var quant = nibble + (int)((highBits >> i & 1) << highShift) + bias;

            // highBits is 0 in the 4-bit formats, so the shift does not matter there.
            values[i] = (scale * quant) + minimum;
        }
    }

    /// <summary>
    /// Q4_K and Q5_K: 8 groups of 32. d, dmin; 12 bytes with a 6-bit scale and minimum per group; fifth bits (bit g of
    /// byte i for element i of group g); nibbles, two groups sharing 32 bytes.
    /// </summary>
    private static void FourOrFiveBitSuperBlock(ReadOnlySpan<byte> block, ReadOnlySpan<byte> fifthBits, ReadOnlySpan<byte> nibbles, Span<float> values)
    {
        var scales = block.Slice(4, 12);
        for (var group = 0; group < 8; group++)
        {
            // Groups 0..3 keep 6 bits in a byte each; the upper two bits of those bytes belong to groups 4..7.
            int scale, minimum;
            if (group < 4)
            {
                scale = scales[group] & 63;
                minimum = scales[group + 4] & 63;
            }
            else
            {
                scale = (scales[group + 4] & 15) | (scales[group - 4] >> 6 << 4);
                minimum = (scales[group + 4] >> 4) | (scales[group] >> 6 << 4);
            }

            var d = Half(block) * scale;
            var m = Half(block[2..]) * minimum;
            for (var i = 0; i < 32; i++)
            {
                var pair = nibbles[((group >> 1) * 32) + i];
                var quant = (group & 1) == 0 ? pair & 15 : pair >> 4;
                if (fifthBits.Length > 0)
                {
                    quant |= (fifthBits[i] >> group & 1) << 4;
                }

                values[(group * 32) + i] = (d * quant) - m;
            }
        }
    }

    /// <summary>
    /// Q6_K: low nibbles (128 bytes), upper two bits (64 bytes), 16 signed scales of 16 elements each, d. Each half of
    /// 128 elements has four quarters of 32 that share 64 and 32 of those bytes.
    /// </summary>
    private static void SixBitSuperBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scales = MemoryMarshal.Cast<byte, sbyte>(block.Slice(192, 16));
        var d = Half(block[208..]);
        for (var element = 0; element < 256; element++)
        {
            int half = element >> 7, quarter = element >> 5 & 3, i = element & 31;
            var low = block[(half * 64) + ((quarter & 1) * 32) + i];
            var nibble = quarter < 2 ? low & 15 : low >> 4;
            var upper = block[128 + (half * 32) + i] >> (quarter * 2) & 3;
            values[element] = d * scales[element >> 4] * ((nibble | upper << 4) - 32);
        }
    }

    private static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);
}
