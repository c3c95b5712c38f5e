using Parallax.Runtime.Weights;
using Parallax.Testing;
using Parallax.Testing.Models;

namespace Parallax.ReferenceTests.Weights;

/// <summary>Damages the headers of real files, byte by byte and as counts: only <see cref="ModelFormatException"/> may come out.</summary>
public sealed class WeightFileFuzzTests
{
    private const int Cases = 1500;
    private const long MaxAllocated = 32 << 20;

    [Theory]
    [InlineData("stories260K", "stories260K-f32.gguf")]
    [InlineData("tiny/qwen3_moe", "model.safetensors")]
    public void Open_DamagedHeader_OnlyEverRefuses(string model, string name)
    {
        var source = TestData.PathOf("models", model, name);
        Assert.SkipWhen(TestData.MissingReason(source) is not null, TestData.MissingReason(source) ?? "");
        using var folder = new ModelFolder();
        var path = folder.Write(name, File.ReadAllBytes(source));
        var header = (int)Tensors(path).Min(t => t.Offset);
        var refused = 0;
        for (var seed = 0; seed < Cases; seed++)
        {
            var random = new Random(seed);
            var at = random.Next(header - 8);
            var patch = random.Next(3) switch
            {
                0 => [(byte)random.Next(256)],
                1 => BitConverter.GetBytes(random.NextInt64() >> random.Next(64)),
                _ => BitConverter.GetBytes(random.Next() >> random.Next(31)),
            };
            var original = Patch(path, at, patch);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                foreach (var tensor in Tensors(path))
                {
                    Assert.InRange(tensor.Offset + tensor.ByteLength, 0, new FileInfo(path).Length);
                }
            }
            catch (ModelFormatException)
            {
                refused++;
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocated);
            Patch(path, at, original);
        }

        // Damage to names and values that the format does not check stays unseen.
        Assert.InRange(refused, Cases / 10, Cases - 1);
        Assert.NotEmpty(Tensors(path));
    }

    private static List<StoredTensor> Tensors(string path)
    {
        if (path.EndsWith(".gguf", StringComparison.Ordinal))
        {
            using var gguf = GgufFile.Open(path);
            return [.. gguf.Tensors];
        }

        using var file = SafetensorsFile.Open(path);
        return [.. file.Tensors];
    }

    private static byte[] Patch(string path, int at, byte[] bytes)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = at;
        var original = new byte[bytes.Length];
        file.ReadExactly(original);
        file.Position = at;
        file.Write(bytes);
        return original;
    }
}
