using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.ReferenceTests.Execution;

/// <summary>What is planned for a real, quantised model is what loading then takes.</summary>
public sealed class ShardPlanTests
{
    [Theory]
    [InlineData(0, 30)]
    [InlineData(0, 10)]
    [InlineData(10, 20)]
    [InlineData(20, 30)]
    public void Of_SmolLm2_IsWhatLoadingTakes(int start, int end)
    {
        SmolLm2Fixture.SkipWhenAbsent("SmolLM2-135M-Instruct.Q4_1.gguf");
        var path = SmolLm2Fixture.PathOf("SmolLM2-135M-Instruct.Q4_1.gguf");
        using var loader = ShardLoader.Open(new LocalEngineOptions
        {
            ModelPath = path,
            Range = new LayerRange(start, end),
            ContextLimit = 512,
            Threads = 1,
            WeightsHash = "not looked at",
        });

        using var loaded = loader.Load(cancellationToken: TestContext.Current.CancellationToken);
        using var shard = loaded.Shard;

        Assert.Equal((shard.WeightBytes, shard.KvBytes), (loader.Plan.WeightBytes, loader.Plan.KvBytes));
        TestContext.Current.TestOutputHelper?.WriteLine($"{loader.Plan}");
    }
}
