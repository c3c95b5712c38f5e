using System.Buffers.Binary;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Cpu.Packing;

/// <summary>
/// One 32-column piece of a stored GGUF row, taken apart: codes and scales as they are in the file. Layouts: the
/// block_q* structs of the GGUF v3 reference (ggml's quantisation formats).
/// </summary>
internal ref struct BlockFields
{
    /// <summary>Codes [32]; signed bytes for Q8_0, unsigned otherwise.</summary>
    public Span<byte> Codes;

    /// <summary>f16 bits of the scale (of the super-block in K formats).</summary>
    public ushort Scale;

    /// <summary>f16 bits of what is added per unit: the minimum, or minus the super-block's minimum scale.</summary>
    public ushort Minimum;

    /// <summary>K formats: the factor of the scale for columns [0, 16) and [16, 32).</summary>
    public byte FactorLow;

    public byte FactorHigh;

    /// <summary>K formats: the factor of the minimum.</summary>
    public byte MinimumFactor;

    /// <summary>Reads columns [32 * block, 32 * block + 32) of a row.</summary>
    public void Read(TensorFormat format, ReadOnlySpan<byte> row, int block)
    {
        switch (format)
        {
            case TensorFormat.Q4_0:
                ReadPlain(row.Slice(block * 18, 18), 2, false, false);
                break;
            case TensorFormat.Q4_1:
                ReadPlain(row.Slice(block * 20, 20), 4, true, false);
                break;
            case TensorFormat.Q5_0:
                ReadPlain(row.Slice(block * 22, 22), 2, false, true);
                break;
            case TensorFormat.Q5_1:
                ReadPlain(row.Slice(block * 24, 24), 4, true, true);
                break;
            case TensorFormat.Q8_0:
                var source = row.Slice(block * 34, 34);
                Scale = BinaryPrimitives.ReadUInt16LittleEndian(source);
                source[2..].CopyTo(Codes);
                break;
            case TensorFormat.Q4_K:
                ReadK(row.Slice(block / 8 * 144, 144), block % 8, 16, default);
                break;
            case TensorFormat.Q5_K:
                var five = row.Slice(block / 8 * 176, 176);
                ReadK(five, block % 8, 48, five.Slice(16, 32));
                break;
            case TensorFormat.Q6_K:
                ReadQ6K(row.Slice(block / 8 * 210, 210), block % 8);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "not a quantised format");
        }
    }

    private void ReadPlain(ReadOnlySpan<byte> source, int header, bool hasMinimum, bool hasFifthBit)
    {
        Scale = BinaryPrimitives.ReadUInt16LittleEndian(source);
        Minimum = hasMinimum ? BinaryPrimitives.ReadUInt16LittleEndian(source[2..]) : (ushort)0;
        var fifth = hasFifthBit ? BinaryPrimitives.ReadUInt32LittleEndian(source[header..]) : 0u;
        var nibbles = source.Slice(hasFifthBit ? header + 4 : header, 16);
        for (var i = 0; i < 16; i++)
        {
            Codes[i] = (byte)((nibbles[i] & 15u) | (((fifth >> i) & 1u) << 4));
            Codes[i + 16] = (byte)(((uint)nibbles[i] >> 4) | (((fifth >> (i + 16)) & 1u) << 4));
        }
    }

    private void ReadK(ReadOnlySpan<byte> source, int sub, int nibblesAt, ReadOnlySpan<byte> fifth)
    {
        Scale = BinaryPrimitives.ReadUInt16LittleEndian(source);
        Minimum = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(source[2..]) ^ 0x8000);

        // Twelve bytes hold eight 6-bit factors of the scale and eight of the minimum.
        var factors = source.Slice(4, 12);
        if (sub < 4)
        {
            FactorLow = (byte)(factors[sub] & 63);
            MinimumFactor = (byte)(factors[sub + 4] & 63);
        }
        else
        {
            FactorLow = (byte)((factors[sub + 4] & 15) | (factors[sub - 4] >> 6 << 4));
            MinimumFactor = (byte)((factors[sub + 4] >> 4) | (factors[sub] >> 6 << 4));
        }

        FactorHigh = FactorLow;
        var nibbles = source.Slice(nibblesAt + (sub / 2 * 32), 32);
        var shift = sub % 2 * 4;
        for (var i = 0; i < 32; i++)
        {
            var high = fifth.IsEmpty ? 0 : (fifth[i] >> sub) & 1;
            Codes[i] = (byte)(((nibbles[i] >> shift) & 15) | (high << 4));
        }
    }

    private void ReadQ6K(ReadOnlySpan<byte> source, int sub)
    {
        Scale = BinaryPrimitives.ReadUInt16LittleEndian(source[208..]);
        Minimum = 0;
        FactorLow = source[192 + (2 * sub)];
        FactorHigh = source[192 + (2 * sub) + 1];
        var low = source.Slice((sub / 4 * 64) + (sub % 2 * 32), 32);
        var high = source.Slice(128 + (sub / 4 * 32), 32);
        var nibbleShift = sub % 4 / 2 * 4;
        var highShift = sub % 4 * 2;
        for (var i = 0; i < 32; i++)
        {
            Codes[i] = (byte)(((low[i] >> nibbleShift) & 15) | (((high[i] >> highShift) & 3) << 4));
        }
    }
}
