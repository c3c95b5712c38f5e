using System.Text;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.Models;

/// <summary>
/// Damages the files of a small model in seeded ways and opens the result: nothing but a
/// <see cref="ModelFormatException"/> may come out, memory stays in proportion to the file, and a model that still opens
/// can be read to the end of every tensor.
/// </summary>
public sealed class ModelFuzzTests : IDisposable
{
    private const int Cases = 2000;

    /// <summary>Of managed memory per case; the files have 20 to 60 KB.</summary>
    private const long MaxAllocated = 8 << 20;

    private static readonly TinyModel Tiny = new() { Architecture = "qwen3_moe", Vocabulary = 24, Intermediate = 32, Layers = 2 };

    private static readonly string[] Splices =
    [
        "null", "-1", "0", "1e309", "99999999999999999999", "{}", "[]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "\"\\ud800\"", "\"\u0000\"",
        "true", "4294967296", "9223372036854775807", ",", "}", "\"", "1.5", "268435456", "../../etc/passwd",
    ];

    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_DamagedGguf_OnlyEverRefuses() => Fuzz("model.gguf", Gguf(), binaryHeader: 2000, () => ModelSource.Open(Path.Combine(_folder.Path, "model.gguf")));

    [Fact]
    public void Open_DamagedSafetensors_OnlyEverRefuses()
    {
        Tiny.WriteHub(_folder);
        var bytes = Tiny.Safetensors().Build();
        Fuzz("model.safetensors", bytes, BitConverter.ToInt32(bytes) + 8, () => ModelSource.Open(_folder.Path));
    }

    [Fact]
    public void Open_DamagedConfig_OnlyEverRefuses()
    {
        Tiny.WriteHub(_folder);
        var config = Tiny.Config();
        config["rope_scaling"] = new System.Text.Json.Nodes.JsonObject { ["rope_type"] = "linear", ["factor"] = 2.0 };
        config["layer_types"] = new System.Text.Json.Nodes.JsonArray("full_attention", "full_attention");
        var bytes = Encoding.UTF8.GetBytes(config.ToJsonString());
        Fuzz("config.json", bytes, bytes.Length, () => ModelSource.Open(_folder.Path));
    }

    [Fact]
    public void Open_DamagedIndex_OnlyEverRefuses()
    {
        Tiny.WriteHub(_folder);
        File.Move(Path.Combine(_folder.Path, "model.safetensors"), Path.Combine(_folder.Path, "a.safetensors"));
        var index = "{\"weight_map\":{" + string.Join(',', Tiny.HubTensors().Select(t => $"\"{t.Name}\":\"a.safetensors\"")) + "}}";
        Fuzz("model.safetensors.index.json", Encoding.UTF8.GetBytes(index), index.Length, () => ModelSource.Open(_folder.Path));
    }

    [Fact]
    public void Open_DamagedTokenizerConfigAndGenerationConfig_OnlyEverRefuses()
    {
        Tiny.WriteHub(_folder);
        var template = """{"chat_template":[{"name":"default","template":"{{ messages }}"},{"name":"tool","template":"\u00e9"}],"eos":"x"}"""u8.ToArray();
        Fuzz("tokenizer_config.json", template, template.Length, () => ModelSource.Open(_folder.Path));
        File.Delete(Path.Combine(_folder.Path, "tokenizer_config.json"));
        var generation = """{"eos_token_id":[2,0],"do_sample":true,"temperature":0.7,"top_p":0.9,"top_k":20}"""u8.ToArray();
        Fuzz("generation_config.json", generation, generation.Length, () => ModelSource.Open(_folder.Path));
    }

    private static byte[] Gguf() => Tiny.Gguf()
        .Set("tokenizer.ggml.tokens", Enumerable.Range(0, 24).Select(i => $"t{i}").ToArray())
        .Set("tokenizer.ggml.scores", Enumerable.Range(0, 24).Select(i => (float)i).ToArray())
        .Set("tokenizer.chat_template", "{{ messages }}")
        .Set("nested", new object[] { new[] { 1, 2 }, new[] { "x" } })
        .Build();

    private static void ReadAll(ModelSource model)
    {
        foreach (var (tensor, rows, columns) in ModelShapes.Of(model.Spec))
        {
            try
            {
                var opened = model.Weights.Open(tensor, rows, columns);
                foreach (var row in (int[])[0, opened.Rows - 1])
                {
                    _ = opened.Row(row)[^1];
                }
            }
            catch (ModelFormatException)
            {
                // A tensor that the damage took away or changed: refused when opened, as it should be.
            }
        }

        foreach (var value in model.Metadata?.Values ?? [])
        {
            for (var i = 0; value is { Type: GgufType.Array, ElementType: GgufType.Text } && i < value.Count; i++)
            {
                _ = value.Utf8At(i);
            }
        }
    }

    private static byte[] Damage(byte[] original, int headerBytes, Random random)
    {
        var bytes = (byte[])original.Clone();
        switch (random.Next(6))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                bytes[random.Next(headerBytes)] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 2:
                for (var i = random.Next(1, 20); i > 0; i--)
                {
                    bytes[random.Next(headerBytes)] = (byte)random.Next(256);
                }

                return bytes;
            case 3:
                // A count, length or offset becomes something else.
                var at = random.Next(Math.Max(1, headerBytes - 8));
                ulong[] values = [0, 1, ulong.MaxValue, long.MaxValue, uint.MaxValue, int.MaxValue, (ulong)bytes.Length, (ulong)bytes.Length + 1, 1UL << 40, (ulong)random.NextInt64()];
                var value = BitConverter.GetBytes(values[random.Next(values.Length)]);
                value.AsSpan(0, Math.Min(random.Next(2) == 0 ? 4 : 8, bytes.Length - at)).CopyTo(bytes.AsSpan(at));
                return bytes;
            case 4:
                var splice = Encoding.UTF8.GetBytes(Splices[random.Next(Splices.Length)]);
                var start = random.Next(headerBytes);
                var end = Math.Min(headerBytes, start + random.Next(12));
                return [.. bytes[..start], .. splice, .. bytes[end..]];
            default:
                // A piece is moved over another: duplicates.
                var from = random.Next(headerBytes);
                var length = random.Next(1, Math.Min(200, headerBytes - from + 1));
                var to = random.Next(headerBytes);
                return [.. bytes[..to], .. bytes[from..(from + length)], .. bytes[to..]];
        }
    }

    private void Fuzz(string file, byte[] original, int binaryHeader, Func<ModelSource> open)
    {
        var refused = 0;
        var messages = new HashSet<string>(StringComparer.Ordinal);
        for (var seed = 0; seed < Cases; seed++)
        {
            _folder.Write(file, Damage(original, binaryHeader, new Random(seed)));
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var model = open();
                ReadAll(model);
            }
            catch (ModelFormatException e)
            {
                Assert.Contains(_folder.Path, e.Message, StringComparison.Ordinal);
                refused++;
                messages.Add(e.Message);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MaxAllocated, $"seed {seed}: {allocated} bytes allocated");
        }

        // The damage must be real, and reach more than the first checks.
        Assert.InRange(refused, Cases / 2, Cases);
        Assert.InRange(messages.Count, 20, Cases);
    }
}
