using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.Execution;

/// <summary>What is planned from headers is what loading then takes.</summary>
public sealed class ShardPlanTests : IDisposable
{
    private readonly ModelFolder _folder = new();
    private readonly IComputeBackend _backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });

    public static TheoryData<string, bool> Models
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var architecture in (string[])["llama", "mistral", "qwen2", "qwen3", "qwen3_moe"])
            {
                data.Add(architecture, false);
                data.Add(architecture, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Of_AnyRange_IsWhatLoadingTakes(string architecture, bool tied)
    {
        new TinyModel
        {
            Architecture = architecture,
            Tied = tied,
            Layers = 3,
            Vocabulary = 50, // fills no group of 16 rows
            AttentionBias = architecture is "llama" or "qwen3",
            FeedForwardBias = architecture == "llama",
            DenseLayers = [1],
        }.WriteHub(_folder);
        using var model = ModelSource.Open(_folder.Path);

        AssertExact(model, new LayerRange(0, 3));
        AssertExact(model, new LayerRange(0, 1));
        AssertExact(model, new LayerRange(1, 2));
        AssertExact(model, new LayerRange(1, 3));
    }

    [Fact]
    public void Of_OutputsKept_CountsThemWhereTheyLeaveTheStage()
    {
        using var model = ModelSource.Open(Path.Combine(TestData.RepositoryRoot, "models", "demo"));
        var options = new LocalEngineOptions { ModelPath = "", KvTokens = 100, KeepOutputs = true };

        var part = ShardPlan.Of(model.Spec, model.Weights, _backend, options with { Range = new LayerRange(0, 3) });

        // Seven blocks of 16 positions, two bytes a value.
        Assert.Equal(7 * 16 * model.Spec.HiddenSize * 2, part.OutputBytes);
        Assert.Equal(part.WeightBytes + part.KvBytes + part.JournalBytes + part.OutputBytes + part.ScratchBytes, part.TotalBytes);
        Assert.Equal(0, ShardPlan.Of(model.Spec, model.Weights, _backend, options with { Range = new LayerRange(3, 8) }).OutputBytes);
        Assert.Equal(0, ShardPlan.Of(model.Spec, model.Weights, _backend, options with { Range = new LayerRange(0, 3), KeepOutputs = false }).OutputBytes);
    }

    [Fact]
    public void Of_DemoModel_IsWhatLoadingTakes()
    {
        using var model = ModelSource.Open(Path.Combine(TestData.RepositoryRoot, "models", "demo"));

        AssertExact(model, new LayerRange(0, 8));
        AssertExact(model, new LayerRange(0, 3));
        AssertExact(model, new LayerRange(3, 6));
        AssertExact(model, new LayerRange(6, 8));
    }

    [Fact]
    public void Of_TiedEnds_CountTheTableAtBoth()
    {
        using var model = ModelSource.Open(Path.Combine(TestData.RepositoryRoot, "models", "demo"));
        Assert.Equal(model.Spec.Embedding, model.Spec.Head);
        var sizes = new WeightSizes(model.Spec, model.Weights, _backend);

        Assert.Equal(sizes.Of(new LayerRange(0, 8)) + sizes.Embedding, sizes.Of(new LayerRange(0, 4)) + sizes.Of(new LayerRange(4, 8)));
    }

    [Fact]
    public void Of_NothingAsked_GivesAllStagesTheRoomOfTheWhole()
    {
        using var model = ModelSource.Open(Path.Combine(TestData.RepositoryRoot, "models", "demo"));
        var whole = Plan(model, null);
        var part = Plan(model, new LayerRange(2, 4));

        Assert.Equal((2048, whole.KvTokens), (part.ContextLimit, part.KvTokens));
        Assert.Equal(whole.KvBytes, part.KvBytes * 4);
        Assert.InRange(whole.KvBytes, 1, LocalEngineOptions.DefaultKvBytes);
        Assert.Equal(0, whole.JournalBytes);
        Assert.InRange(part.JournalBytes, 1, ShardPlan.MostJournalBytes);
    }

    public void Dispose()
    {
        _backend.Dispose();
        _folder.Dispose();
    }

    private ShardPlan Plan(ModelSource model, LayerRange? range) =>
        ShardPlan.Of(model.Spec, model.Weights, _backend, new LocalEngineOptions { ModelPath = model.Path, Range = range });

    private void AssertExact(ModelSource model, LayerRange range)
    {
        foreach (var residual in (ResidualPrecision[])[ResidualPrecision.BF16, ResidualPrecision.F32])
        {
            var plan = ShardPlan.Of(
                model.Spec, model.Weights, _backend, new LocalEngineOptions { ModelPath = model.Path, Range = range, KvTokens = 100, Residual = residual });
            using var shard = ModelShard.Load(
                model.Spec, model.Weights, _backend, new ModelShardOptions { Range = range, KvTokens = 100, WeightsHash = "", Residual = residual });

            Assert.Equal((shard.WeightBytes, shard.KvBytes), (plan.WeightBytes, plan.KvBytes));
        }
    }
}
