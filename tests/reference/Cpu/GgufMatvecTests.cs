using Parallax.ReferenceTests.Execution;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Weights;
using Parallax.Testing;
using Parallax.Testing.Weights;

namespace Parallax.ReferenceTests.Cpu;

/// <summary>Raw blocks of every type, through the backend: rows decoded, and the product with x.</summary>
public sealed class GgufMatvecTests
{
    private static readonly string FilePath = TestData.PathOf("models", "quantised", "gguf_blocks.safetensors");

    public static TheoryData<string> Types()
    {
        if (TestData.MissingReason(FilePath) is not null)
        {
            return [];
        }

        using var file = SafetensorsFile.Open(FilePath);
        return [.. file.Tensors.Select(tensor => tensor.Name).Where(name => name.EndsWith(".matvec", StringComparison.Ordinal))
            .Select(name => name[..^".matvec".Length]).Order(StringComparer.Ordinal)];
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Types))]
    public void Linear_ReferenceBlocks_GivesTheReferencesProduct(string type)
    {
        Assert.SkipUnless(Enum.TryParse<TensorFormat>(type, out var format), $"format {type} is not supported");
        using var file = SafetensorsFile.Open(FilePath);
        var shape = file.Tensor($"{type}.values").Shape;
        var (rows, columns) = ((int)shape[0], (int)shape[1]);
        var values = file.Floats($"{type}.values");
        var x = file.Floats($"{type}.x");
        var expected = file.Floats($"{type}.matvec");
        var weights = new PinnedWeights(format, rows, columns, file.Tensor($"{type}.blocks").Bytes, type);
        foreach (var width in Enum.GetValues<VectorWidth>().Where(CpuBackend.IsSupported))
        {
            using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1, Width = width });
            using var matrix = backend.LoadMatrix(weights.Tensor);
            using var input = backend.AllocateTensor(columns);
            input.Resize(1);
            input.Upload(x);
            using var output = backend.AllocateTensor(rows);
            output.Resize(1);
            output.Upload(new float[rows]);
            backend.LinearAdd(input, matrix, null, output, round: false);
            var actual = new float[rows];
            output.Download(actual);
            var worst = 0.0;
            for (var row = 0; row < rows; row++)
            {
                // Half a step of the 16-bit activations at most, of the block's largest; f32 rounding of the reference's own sum.
                var tolerance = 0.0;
                for (var block = 0; block < columns; block += 32)
                {
                    var step = GoldenModel.Largest(x.AsSpan(block, 32)) / (format.BlockElements() == 1 ? double.PositiveInfinity : 65534);
                    for (var k = block; k < block + 32; k++)
                    {
                        tolerance += Math.Abs(values[(row * columns) + k]) * (step + (Math.Abs(x[k]) * 2e-6));
                    }
                }

                var error = Math.Abs((double)actual[row] - expected[row]);
                Assert.True(error <= tolerance, $"row {row}: {actual[row]} instead of {expected[row]}, tolerance {tolerance:E2}");
                worst = Math.Max(worst, error / GoldenModel.Largest(expected));
            }

            GoldenModel.Report($"{type} {width}: error {worst:E2} of the largest product");
        }
    }
}
