using System.Buffers.Binary;
using Parallax.Runtime.Weights;

namespace Parallax.UnitTests.Weights;

/// <summary>Blocks are packed here from quants and scales, field by field; decoding must give back scale * quant (+ minimum).</summary>
public sealed class BlockDecoderTests
{
    private const float Scale = 0.25f;
    private const float Minimum = 1.5f;

    [Fact]
    public void Decode_PlainFormats_AreExact()
    {
        Assert.Equal([1.5f, -2f], Decode(TensorFormat.F32, [.. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)], 2));
        Assert.Equal([1.5f, -65504f], Decode(TensorFormat.F16, [.. Half(1.5f), .. Half(-65504f)], 2));
        Assert.Equal([1f, -3.140625f], Decode(TensorFormat.BF16, [0x80, 0x3F, 0x49, 0xC0], 2));
    }

    [Theory]
    [InlineData(TensorFormat.Q4_0, 16, -8)]
    [InlineData(TensorFormat.Q4_1, 16, 0)]
    [InlineData(TensorFormat.Q5_0, 32, -16)]
    [InlineData(TensorFormat.Q5_1, 32, 0)]
    public void Decode_BlocksOf32_GivesScaleTimesQuant(TensorFormat format, int levels, int bias)
    {
        var quants = Quants(32, levels);
        var hasMinimum = format is TensorFormat.Q4_1 or TensorFormat.Q5_1;
        var block = new List<byte>(Half(Scale));
        if (hasMinimum)
        {
            block.AddRange(Half(Minimum));
        }

        if (levels == 32)
        {
            block.AddRange(BitConverter.GetBytes(quants.Select((q, i) => (uint)(q >> 4) << i).Aggregate((a, b) => a | b)));
        }

        block.AddRange(Enumerable.Range(0, 16).Select(i => (byte)((quants[i] & 15) | ((quants[i + 16] & 15) << 4))));
        var expected = quants.Select(q => (Scale * (q + bias)) + (hasMinimum ? Minimum : 0)).ToArray();
        Assert.Equal(expected, Decode(format, [.. block], 32));
    }

    [Fact]
    public void Decode_Q8_0_GivesScaleTimesQuant()
    {
        sbyte[] quants = [.. Enumerable.Range(0, 32).Select(i => (sbyte)((i * 8) - 128))];
        Assert.Equal(quants.Select(q => Scale * q), Decode(TensorFormat.Q8_0, [.. Half(Scale), .. quants.Select(q => (byte)q)], 32));
    }

    [Theory]
    [InlineData(TensorFormat.Q4_K, 16)]
    [InlineData(TensorFormat.Q5_K, 32)]
    public void Decode_KBlocksWithMinimum_GivesScaleTimesQuantMinusMinimum(TensorFormat format, int levels)
    {
        var quants = Quants(256, levels);
        int[] scales = [1, 63, 17, 32, 48, 5, 62, 33];
        int[] minimums = [0, 31, 63, 16, 40, 1, 55, 47];

        // The low 4 bits of groups 4..7 share a byte; their upper 2 bits sit above those of groups 0..3.
        var packed = new byte[12];
        for (var i = 0; i < 4; i++)
        {
            packed[i] = (byte)(scales[i] | (scales[i + 4] >> 4 << 6));
            packed[i + 4] = (byte)(minimums[i] | (minimums[i + 4] >> 4 << 6));
            packed[i + 8] = (byte)((scales[i + 4] & 15) | ((minimums[i + 4] & 15) << 4));
        }

        var block = new List<byte>([.. Half(Scale), .. Half(Minimum), .. packed]);
        if (levels == 32)
        {
            block.AddRange(Enumerable.Range(0, 32).Select(i => (byte)Enumerable.Range(0, 8).Sum(group => (quants[(group * 32) + i] >> 4) << group)));
        }

        for (var pair = 0; pair < 4; pair++)
        {
            block.AddRange(Enumerable.Range(0, 32).Select(i => (byte)((quants[(pair * 64) + i] & 15) | ((quants[(pair * 64) + 32 + i] & 15) << 4))));
        }

        var expected = quants.Select((q, i) => (Scale * scales[i / 32] * q) - (Minimum * minimums[i / 32])).ToArray();
        Assert.Equal(expected, Decode(format, [.. block], 256));
    }

    [Fact]
    public void Decode_Q6_K_GivesScaleTimesQuant()
    {
        var quants = Quants(256, 64);
        sbyte[] scales = [.. Enumerable.Range(0, 16).Select(i => (sbyte)((i * 17) - 128))];
        var low = new byte[128];
        var high = new byte[64];
        for (var half = 0; half < 2; half++)
        {
            for (var i = 0; i < 32; i++)
            {
                var q = Enumerable.Range(0, 4).Select(quarter => quants[(half * 128) + (quarter * 32) + i]).ToArray();
                low[(half * 64) + i] = (byte)((q[0] & 15) | ((q[2] & 15) << 4));
                low[(half * 64) + 32 + i] = (byte)((q[1] & 15) | ((q[3] & 15) << 4));
                high[(half * 32) + i] = (byte)((q[0] >> 4) | (q[1] >> 4 << 2) | (q[2] >> 4 << 4) | (q[3] >> 4 << 6));
            }
        }

        var expected = quants.Select((q, i) => Scale * scales[i / 16] * (q - 32)).ToArray();
        Assert.Equal(expected, Decode(TensorFormat.Q6_K, [.. low, .. high, .. scales.Select(s => (byte)s), .. Half(Scale)], 256));
    }

    [Fact]
    public void Decode_WrongSizes_Throws()
    {
        Assert.Throws<ArgumentException>(() => Decode(TensorFormat.Q4_0, new byte[18], 31));
        Assert.Throws<ArgumentException>(() => Decode(TensorFormat.Q4_0, new byte[17], 32));
        Assert.Throws<ArgumentException>(() => Decode(TensorFormat.F32, new byte[8], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Decode((TensorFormat)99, new byte[8], 1));
    }

    private static int[] Quants(int count, int levels)
    {
        var random = new Random(count + levels);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(levels))];
    }

    private static byte[] Half(float value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
        return bytes;
    }

    private static float[] Decode(TensorFormat format, byte[] row, int elements)
    {
        var values = new float[elements];
        BlockDecoder.Decode(format, row, values);
        return values;
    }
}
