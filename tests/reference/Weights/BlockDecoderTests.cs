using System.Runtime.InteropServices;
using Parallax.Runtime.Weights;
using Parallax.Testing;

namespace Parallax.ReferenceTests.Weights;

public sealed class BlockDecoderTests
{
    private static readonly string FilePath = TestData.PathOf("models", "quantised", "gguf_blocks.safetensors");

    /// <summary>Every type of the file: tensors X.blocks (raw) and X.values (f32).</summary>
    public static TheoryData<string> Types()
    {
        if (TestData.MissingReason(FilePath) is not null)
        {
            return ["absent"];
        }

        using var file = SafetensorsFile.Open(FilePath);
        return [.. file.Tensors.Select(t => t.Name).Where(n => n.EndsWith(".blocks", StringComparison.Ordinal)).Select(n => n[..^".blocks".Length]).Order(StringComparer.Ordinal)];
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Decode_ReferenceBlocks_GivesReferenceValues(string type)
    {
        Assert.SkipWhen(TestData.MissingReason(FilePath) is not null, TestData.MissingReason(FilePath) ?? "");
        Assert.SkipUnless(Enum.TryParse<TensorFormat>(type, out var format), $"format {type} is not supported");
        using var file = SafetensorsFile.Open(FilePath);
        var expected = file.Tensor($"{type}.values");
        var rows = (int)expected.Shape[0];
        var columns = (int)expected.Shape[1];
        var blocks = file.Tensor($"{type}.blocks").Bytes;
        var rowBytes = (int)format.RowBytes(columns);
        Assert.Equal(rows * rowBytes, blocks.Length);
        var values = new float[columns];
        for (var row = 0; row < rows; row++)
        {
            BlockDecoder.Decode(format, blocks.Slice(row * rowBytes, rowBytes), values);
            var reference = MemoryMarshal.Cast<byte, float>(expected.Bytes).Slice(row * columns, columns);
            for (var i = 0; i < columns; i++)
            {
                Assert.InRange(values[i], reference[i] - (1e-6f * MathF.Abs(reference[i])), reference[i] + (1e-6f * MathF.Abs(reference[i])));
            }
        }
    }
}
