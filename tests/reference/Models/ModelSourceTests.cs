using System.Diagnostics;
using System.Text.Json;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Parallax.Testing;
using Parallax.Testing.Models;

namespace Parallax.ReferenceTests.Models;

public sealed class ModelSourceTests
{
    private static readonly string[] Supported = ["llama", "mistral", "qwen2", "qwen3", "qwen3_moe"];

    /// <summary>Every folder with a config.json and every .gguf file below models/.</summary>
    public static TheoryData<string> ModelPaths()
    {
        var root = TestData.PathOf("models");
        if (!Directory.Exists(root))
        {
            return [root];
        }

        var folders = Directory.EnumerateFiles(root, "config.json", SearchOption.AllDirectories).Select(path => Path.GetDirectoryName(path)!);
        var files = Directory.EnumerateFiles(root, "*.gguf", SearchOption.AllDirectories);
        return [.. folders.Concat(files).Select(path => Path.GetRelativePath(TestData.Root, path)).Order(StringComparer.Ordinal)];
    }

    [Theory]
    [MemberData(nameof(ModelPaths))]
    public void Open_EveryModel_OpensEveryTensorOrIsRefusedByName(string relative)
    {
        var path = TestData.PathOf(relative);
        Assert.SkipWhen(TestData.MissingReason(path) is not null, TestData.MissingReason(path) ?? "");
        if (RefusedFor(path) is { } subject)
        {
            var error = Assert.Throws<ModelFormatException>(() => ModelSource.Open(path));
            Assert.Contains(subject, error.Message, StringComparison.Ordinal);
            Assert.Skip($"not supported: {error.Message}");
        }

        using var model = ModelSource.Open(path);
        Assert.All(ModelShapes.Of(model.Spec), shape =>
        {
            var tensor = model.Weights.Open(shape.Tensor, shape.Rows, shape.Columns);
            Assert.Equal(shape.Rows, tensor.Rows);
            Assert.Equal(shape.Columns, tensor.Columns);
            var values = new float[tensor.Columns];
            BlockDecoder.Decode(tensor.Format, tensor.Row(tensor.Rows - 1), values);
            Assert.All(values, value => Assert.True(float.IsFinite(value)));
        });
        Assert.All(model.Generation.EosTokenIds, id => Assert.InRange(id, 0, model.Spec.VocabularySize - 1));
    }

    [Fact]
    public void WeightsHash_SupportedModels_IsStableAndDiffersBetweenModels()
    {
        Assert.SkipWhen(TestData.MissingReason(TestData.PathOf("models")) is not null, TestData.MissingReason(TestData.PathOf("models")) ?? "");
        var hashes = new Dictionary<string, string>();
        foreach (var path in ModelPaths().Select(row => TestData.PathOf(row.Data)).Where(path => RefusedFor(path) is null))
        {
            using var model = ModelSource.Open(path);
            var start = Stopwatch.GetTimestamp();
            var hash = model.WeightsHash;
            TestContext.Current.TestOutputHelper!.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalMilliseconds,7:F1} ms {hash} {model.DisplayName}");
            using var again = ModelSource.Open(path);
            Assert.Equal(hash, again.WeightsHash);
            Assert.Matches("^[0-9a-f]{64}$", hash);
            Assert.True(hashes.TryAdd(hash, path), $"{path} has the hash of {hashes.GetValueOrDefault(hash)}");
        }
    }

    [Fact]
    public void Open_TheTwoFormsOfStories_DescribeTheSameModel()
    {
        var folder = TestData.PathOf("models", "stories260K");
        Assert.SkipWhen(TestData.MissingReason(folder) is not null, TestData.MissingReason(folder) ?? "");
        using var hub = ModelSource.Open(folder);
        using var gguf = ModelSource.Open(Path.Combine(folder, "stories260K-f32.gguf"));
        Assert.Equal(Shape(hub.Spec), Shape(gguf.Spec) with { Layout = RopeLayout.Halves });
        Assert.Equal(hub.Generation.EosTokenIds, gguf.Generation.EosTokenIds);

        // Key rows are permuted in GGUF files; values and feed-forward rows are not.
        var reference = hub.Weights.Open(hub.Spec.Layers[4].Attention.Value, 32, 64);
        var other = gguf.Weights.Open(gguf.Spec.Layers[4].Attention.Value, 32, 64);
        for (var row = 0; row < 32; row++)
        {
            Assert.True(reference.Row(row).SequenceEqual(other.Row(row)));
        }
    }

    [Fact]
    public void Open_SmolLm2_ReadsTokensTemplateAndDefaults()
    {
        var path = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
        Assert.SkipWhen(TestData.MissingReason(path) is not null, TestData.MissingReason(path) ?? "");
        using var model = ModelSource.Open(path);
        Assert.Equal("SmolLM2-135M-Instruct.Q4_1", model.DisplayName);
        Assert.Equal([2], model.Generation.EosTokenIds);
        Assert.StartsWith("{% for message in messages %}", model.ChatTemplate, StringComparison.Ordinal);
        var tokens = model.Metadata!["tokenizer.ggml.tokens"];
        Assert.Equal(49152, tokens.Count);
        Assert.Equal("<|im_end|>", tokens.TextAt(2));
        Assert.Equal(49152, model.Metadata["tokenizer.ggml.token_type"].ToInt32s().Length);
        Assert.Equal(30, model.Spec.Layers.Length);
        Assert.Equal(model.Spec.Embedding, model.Spec.Head);
        Assert.Equal(100000.0, model.Spec.Layers[0].Attention.Rope.Theta);
    }

    private static ShapeOfModel Shape(ModelSpec spec) => new(
        spec.VocabularySize,
        spec.HiddenSize,
        spec.MaxPositions,
        spec.NormEpsilon,
        spec.Layers.Length,
        spec.Layers[0].Attention.Heads,
        spec.Layers[0].Attention.KvHeads,
        spec.Layers[0].Attention.HeadDim,
        spec.Layers[0].Attention.Rope.Theta,
        spec.Head == spec.Embedding,
        spec.Layers[0].Attention.Rope.Layout);

    /// <summary>The name that a refusal must hold, or null for models that must open.</summary>
    private static string? RefusedFor(string path)
    {
        if (!Directory.Exists(path))
        {
            return null;
        }

        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(path, "config.json")));
        var type = config.RootElement.GetProperty("model_type").GetString()!;
        if (!Supported.Contains(type))
        {
            return $"'{type}'";
        }

        string[] quantizations = ["quantization_config", "quantization"];
        return quantizations.FirstOrDefault(name => config.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object);
    }

    private sealed record ShapeOfModel(
        int Vocabulary, int Hidden, int Positions, float Epsilon, int Layers, int Heads, int KvHeads, int HeadDim, double Theta, bool Tied, RopeLayout Layout);
}
