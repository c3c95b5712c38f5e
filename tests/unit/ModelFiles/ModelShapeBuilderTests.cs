using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.ModelFiles.Shapes;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.ModelFiles;

/// <summary>Sums over a shape are what a worker plans to load.</summary>
public sealed class ModelShapeBuilderTests : IDisposable
{
    private readonly ModelFolder _folder = new();
    private readonly IComputeBackend _backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });

    [Theory]
    [InlineData("llama", true)]
    [InlineData("llama", false)]
    [InlineData("qwen2", false)]
    [InlineData("qwen3", true)]
    [InlineData("qwen3_moe", false)]
    public void Build_AnyRange_AddsUpToTheLoadersPlan(string architecture, bool tied)
    {
        new TinyModel { Architecture = architecture, Tied = tied, Layers = 4, Vocabulary = 50, DenseLayers = [1] }.WriteHub(_folder);
        AssertAddsUp(_folder.Path);
    }

    [Fact]
    public void Build_DemoModel_AddsUpToTheLoadersPlan() => AssertAddsUp(Path.Combine(TestData.RepositoryRoot, "models", "demo"));

    [Theory]
    [InlineData("smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")]
    [InlineData("stories260K", "stories260K-f32.gguf")]
    [InlineData("tiny", "mistral")]
    [InlineData("tiny", "qwen3_moe")]
    public void Build_ReferenceModel_AddsUpToTheLoadersPlan(string folder, string name)
    {
        var path = TestData.PathOf("models", folder, name);
        Assert.SkipWhen(TestData.MissingReason(path) is not null, TestData.MissingReason(path) ?? "");
        AssertAddsUp(path);
    }

    [Fact]
    public void Build_Mixture_TellsExpertsAndWork()
    {
        new TinyModel { Architecture = "qwen3_moe", Layers = 2, DenseLayers = [0] }.WriteHub(_folder);
        using var model = ModelSource.Open(_folder.Path);
        var shape = ModelShapeBuilder.Build(model, "weights", "manifest", _backend, new LocalEngineOptions { ModelPath = _folder.Path });

        Assert.Equal((0, 0, 0L), (shape.Layers[0].Experts, shape.Layers[0].ExpertsPerToken, shape.Layers[0].ExpertBytes));
        // An expert: gate and up [32, 32], down [32, 32], in f32.
        Assert.Equal((4, 2, 3L * 32 * 32 * 4), (shape.Layers[1].Experts, shape.Layers[1].ExpertsPerToken, shape.Layers[1].ExpertBytes));
        const double attention = 2.0 * 32 * ((4 + 2 + 2 + 4) * 8);
        Assert.Equal(attention + (2.0 * 3 * 64 * 32), shape.Layers[0].Flops);
        Assert.Equal(attention + (2.0 * 4 * 32) + (2 * 2.0 * 3 * 32 * 32), shape.Layers[1].Flops);
        Assert.Equal((2.0 * 48 * 32, 64L, 256, false), (shape.HeadFlops, shape.HiddenBytes, shape.ContextLimit, shape.CanChat));
        Assert.Equal(("weights", "manifest"), (shape.WeightsHash, shape.ManifestHash));
    }

    public void Dispose()
    {
        _backend.Dispose();
        _folder.Dispose();
    }

    private void AssertAddsUp(string path)
    {
        using var model = ModelSource.Open(path);
        var layers = model.Spec.Layers.Length;
        foreach (var residual in (ResidualPrecision[])[ResidualPrecision.BF16, ResidualPrecision.F32])
        {
            var options = new LocalEngineOptions { ModelPath = path, Residual = residual, KvTokens = 96, WeightsHash = "", Threads = 1 };
            var shape = ModelShapeBuilder.Build(model, "", "", _backend, options);
            foreach (var range in (LayerRange[])[new(0, layers), new(0, 1), new(0, layers / 2), new(layers / 2, layers), new(layers - 1, layers), new(1, layers - 1)])
            {
                if (range.Count < 1)
                {
                    continue;
                }

                using var loader = ShardLoader.Open(options with { Range = range });
                Assert.Equal((loader.Plan.WeightBytes, loader.Plan.KvBytes), (Weights(shape, range), 96 * Sum(shape, range, static layer => layer.KvBytesPerToken)));
                Assert.InRange(loader.Plan.JournalBytes + loader.Plan.ScratchBytes, 1, shape.ScratchBytes);
            }
        }
    }

    private static long Weights(ModelShape shape, LayerRange range)
    {
        var first = range.Start == 0;
        var last = range.End == shape.Layers.Count;
        return Sum(shape, range, static layer => layer.WeightBytes)
            + (first ? shape.EmbeddingBytes : 0)
            + (last ? shape.HeadBytes : 0)
            - (first && last && shape.Tied ? shape.EmbeddingBytes : 0);
    }

    private static long Sum(ModelShape shape, LayerRange range, Func<LayerShape, long> of) => shape.Layers.Skip(range.Start).Take(range.Count).Sum(of);
}
