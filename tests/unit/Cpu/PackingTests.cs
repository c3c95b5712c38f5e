using Parallax.Runtime.Cpu;
using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;
using Parallax.UnitTests.Cpu.Kernels;

namespace Parallax.UnitTests.Cpu;

/// <summary>Blocks taken apart, and what may not be packed. That packed rows decode right is tested with the kernels (Embed).</summary>
public sealed class PackingTests
{
    public static TheoryData<TensorFormat> BlockFormats() =>
        [.. Enum.GetValues<TensorFormat>().Where(format => format.BlockElements() > 1)];

    public static TheoryData<TensorFormat> HalfFormats() =>
        [.. Enum.GetValues<TensorFormat>().Where(format => format is not TensorFormat.F32 and not TensorFormat.BF16)];

    [Theory]
    [MemberData(nameof(BlockFormats))]
    public void Read_RandomBlocks_GivesFieldsThatMakeTheDecodedValues(TensorFormat format)
    {
        const int Columns = 1024;
        var weights = PinnedWeights.Random(format, 20, Columns, 5);
        Span<byte> codes = stackalloc byte[32];
        var fields = new BlockFields { Codes = codes };
        for (var row = 0; row < weights.Tensor.Rows; row++)
        {
            var expected = weights.Row(row);
            for (var block = 0; block < Columns / 32; block++)
            {
                fields.Read(format, weights.Tensor.Row(row), block);
                for (var k = 0; k < 32; k++)
                {
                    Assert.Equal(expected[(block * 32) + k], Value(format, in fields, k));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(HalfFormats))]
    public void LoadMatrix_InfiniteOrUndefinedHalf_IsRefusedWithItsRow(TensorFormat format)
    {
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 2 });
        foreach (var bad in (ushort[])[0x7C00, 0xFC00, 0x7E01])
        {
            var weights = PinnedWeights.Random(format, 40, 256, 6);
            var bytes = new byte[40 * weights.Tensor.RowLength];
            for (var row = 0; row < 40; row++)
            {
                weights.Tensor.Row(row).CopyTo(bytes.AsSpan(row * weights.Tensor.RowLength));
            }

            BitConverter.TryWriteBytes(bytes.AsSpan((19 * weights.Tensor.RowLength) + (format == TensorFormat.Q6_K ? 208 : 0)), bad);
            var broken = new PinnedWeights(format, 40, 256, bytes, "blk.0.bad");
            var error = Assert.Throws<InvalidDataException>(() => backend.LoadMatrix(broken.Tensor));
            Assert.Contains("row 19", error.Message, StringComparison.Ordinal);
            Assert.Contains("blk.0.bad", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.NaN)]
    public void Linear_UndefinedInput_ShowsInEveryOutput(float bad)
    {
        // An input that cannot be quantised must not quietly become a number.
        foreach (var width in Enum.GetValues<VectorWidth>().Where(CpuBackend.IsSupported))
        {
            using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = width });
            foreach (var format in Enum.GetValues<TensorFormat>())
            {
                var weights = PinnedWeights.Random(format, 16, 256, 8);
                using var matrix = backend.LoadMatrix(weights.Tensor);
                var values = Inputs.Random(3, 256, 9);
                values[256 + 40] = bad;
                using var x = backend.Upload(3, 256, values);
                using var output = backend.AllocateTensor([matrix]);
                backend.Linear(x, [matrix], null, output);
                var result = output.Download();
                Assert.All(result[..16], value => Assert.True(float.IsFinite(value)));
                Assert.All(Enumerable.Range(0, 16), i => Assert.True(
                    !float.IsFinite(result[16 + i]) || weights.Row(i)[40] == 0f, $"{format} {width}: output {i} is {result[16 + i]}"));
                Assert.All(result[32..], value => Assert.True(float.IsFinite(value)));
            }
        }
    }

    [Fact]
    public void Embed_IdOutsideTheTable_IsRefused()
    {
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var table = backend.LoadMatrix(PinnedWeights.Random(TensorFormat.Q8_0, 20, 32, 1).Tensor);
        using var output = backend.AllocateTensor(32);

        // Row 20 exists in the padded group of 16.
        Assert.Throws<ArgumentOutOfRangeException>(() => backend.Embed(table, [20], output, round: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => backend.Embed(table, [-1], output, round: false));
    }

    [Fact]
    public void Linear_InputOfAnotherWidth_IsRefusedByName()
    {
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var matrix = backend.LoadMatrix(PinnedWeights.Random(TensorFormat.F32, 4, 32, 1).Tensor);
        using var x = backend.Upload(1, 33, new float[33]);
        using var output = backend.AllocateTensor(4);
        var error = Assert.Throws<ArgumentException>(() => backend.LinearAdd(x, matrix, null, output, round: false));
        Assert.Contains("'test' has 32 columns", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WidthThatTheProcessorLacks_IsRefused()
    {
        foreach (var width in Enum.GetValues<VectorWidth>())
        {
            if (CpuBackend.IsSupported(width))
            {
                using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = width });
                Assert.Equal(CpuBackend.ArithmeticVersion, backend.ArithmeticVersion);
            }
            else
            {
                Assert.Throws<PlatformNotSupportedException>(() => CpuBackend.Create(new CpuBackendOptions { Width = width }));
            }
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => CpuBackend.Create(new CpuBackendOptions { Threads = -1 }));
    }

    private static float Value(TensorFormat format, in BlockFields fields, int k)
    {
        var scale = HalfFloats.FromF16Finite(fields.Scale);
        var minimum = HalfFloats.FromF16Finite(fields.Minimum);
        var code = fields.Codes[k];
        return format switch
        {
            TensorFormat.Q4_0 => scale * (code - 8),
            TensorFormat.Q5_0 => scale * (code - 16),
            TensorFormat.Q4_1 or TensorFormat.Q5_1 => (scale * code) + minimum,
            TensorFormat.Q8_0 => scale * (sbyte)code,
            TensorFormat.Q6_K => scale * (sbyte)(k < 16 ? fields.FactorLow : fields.FactorHigh) * (code - 32),
            _ => (scale * fields.FactorLow * code) + (minimum * fields.MinimumFactor),
        };
    }
}
