using System.Text.Json.Nodes;
using Parallax.Contracts.Identifiers;
using Parallax.Pipeline.Stages;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;
using Parallax.Testing.Blocks;
using Parallax.Testing.Models;
using Parallax.Testing.Pipeline;

namespace Parallax.UnitTests.Pipeline;

/// <summary>
/// Stages are lost and replaced while sessions run, with an exchange of blocks in every state: the bits of the whole model
/// always, and less to compute again where the exchange has what was lost.
/// </summary>
public sealed class RestoreRingTests : IDisposable
{
    private static readonly TinyModel Model = new() { Architecture = "llama", Layers = 6, Vocabulary = 211 };
    private static readonly TinyModel Windowed = new() { Architecture = "mistral", Layers = 4, Vocabulary = 211 };

    private readonly IComputeBackend _backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
    private readonly ModelFolder _folder = new();
    private ModelSource? _source;

    public void Dispose()
    {
        _source?.Dispose();
        _folder.Dispose();
        _backend.Dispose();
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(ExchangeFault.None, false)]
    [InlineData(ExchangeFault.None, true)]
    [InlineData(ExchangeFault.Partial, true)]
    [InlineData(ExchangeFault.Corrupt, false)]
    [InlineData(ExchangeFault.MixedUp, true)]
    [InlineData(ExchangeFault.Incomplete, false)]
    [InlineData(ExchangeFault.Silent, true)]
    [InlineData(ExchangeFault.Broken, false)]
    [InlineData(ExchangeFault.Empty, true)]
    public void Run_StagesReplaced_GivesTheBitsOfTheWholeModel(ExchangeFault? fault, bool keepOutputs)
    {
        var source = Open(Model);
        var (restored, lost) = (0L, 0);
        foreach (var cuts in (int[][])[[3], [2, 4]])
        {
            for (var seed = 1; seed <= 3; seed++)
            {
                var check = Check(source, fault, keepOutputs, seed, replacements: 4);
                Assert.Null(check.Difference(cuts, seed, faults: seed == 3 ? 20 : 0));
                restored += check.Stats.Sum(static stats => stats.RestoredPositions);
                lost += check.Stats.Count - cuts.Length - 1;
            }
        }

        Assert.True(lost > 6, $"only {lost} stages were replaced");
        Assert.Equal(fault is not (null or ExchangeFault.Silent or ExchangeFault.Empty), restored > 0);
    }

    [Theory]
    [InlineData(ExchangeFault.None)]
    [InlineData(ExchangeFault.Partial)]
    public void Run_SlidingWindows_GiveTheBitsOfTheWholeModel(ExchangeFault fault)
    {
        var source = Open(Windowed, window: 21);
        for (var seed = 1; seed <= 3; seed++)
        {
            Assert.Null(Check(source, fault, keepOutputs: true, seed, replacements: 3).Difference([1, 3], seed));
        }
    }

    [Fact]
    public void Run_StagesShortOfBlocks_GivesTheBitsOfTheWholeModel()
    {
        var source = Open(Model);
        for (var seed = 1; seed <= 4; seed++)
        {
            var check = Check(source, ExchangeFault.None, keepOutputs: true, seed, replacements: 2, kvTokens: 192);
            Assert.Null(check.Difference([2, 4], seed, faults: seed * 5));
        }
    }

    [Fact]
    public void Run_CompleteExchange_LeavesLessToComputeAgain()
    {
        var source = Open(Model);
        long with = 0, without = 0, restored = 0;
        for (var seed = 1; seed <= 5; seed++)
        {
            var plain = Check(source, null, keepOutputs: false, seed, replacements: 3);
            Assert.Null(plain.Difference([2, 4], seed));
            without += plain.Stats.Sum(static stats => stats.RecomputedPositions);
            Assert.Equal(0, plain.Stats.Sum(static stats => stats.RestoredPositions));

            var check = Check(source, ExchangeFault.None, keepOutputs: true, seed, replacements: 3);
            Assert.Null(check.Difference([2, 4], seed));
            with += check.Stats.Sum(static stats => stats.RecomputedPositions);
            restored += check.Stats.Sum(static stats => stats.RestoredPositions);
            Assert.Equal(0, check.Stats.Sum(static stats => stats.BlocksRefused + stats.RestoreFailures));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"computed again: {with} with the exchange ({restored} restored), {without} without");
        Assert.True(restored > 0 && with * 2 < without, $"{with} positions computed again with the exchange ({restored} restored), {without} without");
    }

    /// <summary>A session that found a cached prefix loses its next stage: what that lacks was kept, or has to be computed again.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_NextStageLostAfterAPrefixHit_OutputsKeptBesideKvAreNotComputedAgain(bool keepOutputs)
    {
        var source = Open(Model);
        var samplers = new LogitBook();
        using var ring = new MemoryRing([Load(0), Load(1)], () => samplers, seed: 1, OptionsOf(null) with { KeepOutputs = keepOutputs }) { Spare = Load };
        int[] prompt = [.. Enumerable.Range(0, 70).Select(static i => i * 3 % 200)];
        var sampling = new SamplingParameters { MaxTokens = 6, Temperature = 0, Seed = 1 };
        var first = ring.Open(prompt, sampling, arrival: 1);
        Assert.Null(ring.Run());
        var second = ring.Open(prompt, sampling, arrival: 2);
        Assert.Equal(64, second.Keep);

        ring.Replace(1);

        Assert.Null(ring.Run());
        Assert.Equal(first.Sink.Tokens, second.Sink.Tokens);
        Assert.Null(samplers.Conflict);
        Assert.Equal(keepOutputs ? 0 : 64, ring.Loops[0].Counters.Read().RecomputedPositions);

        ModelShard Load(int stage) => ModelShard.Load(
            source.Spec,
            source.Weights,
            _backend,
            new ModelShardOptions { Range = stage == 0 ? new LayerRange(0, 3) : new LayerRange(3, 6), KvTokens = 512, WeightsHash = "test" });
    }

    private static StageEngineOptions OptionsOf(BlockExchangeOptions? blocks) => new()
    {
        Executor = new ExecutorOptions { MaxBatch = 4, TokenBudget = 64, MixedPrefillTokens = 16, MaxSessions = 16, Blocks = blocks },
        WindowRows = 64,
        JournalBytes = 1 << 20,
    };

    private PipelineCheck Check(ModelSource source, ExchangeFault? fault, bool keepOutputs, int seed, int replacements, int kvTokens = 4096)
    {
        var blocks = fault is { } kind ? new BlockExchangeOptions { Exchange = new MemoryExchange { Fault = kind } } : null;
        return new PipelineCheck(source, _backend, ResidualPrecision.BF16, Sessions(seed))
        {
            Options = OptionsOf(blocks) with { KeepOutputs = keepOutputs },
            KvTokens = kvTokens,
            Replacements = replacements,
            IsTimePassing = fault == ExchangeFault.Silent,
        };
    }

    private static (int[] Prompt, SamplingParameters Sampling)[] Sessions(int seed)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, 5).Select(i => (
                Enumerable.Range(0, 30 + random.Next(60)).Select(_ => random.Next(200)).ToArray(),
                new SamplingParameters
                {
                    MaxTokens = 8 + random.Next(24),
                    Temperature = i % 2,
                    Seed = (ulong)i,
                    RepetitionPenalty = i % 3 == 2 ? 1.3f : 1f,
                })),
        ];
    }

    private ModelSource Open(TinyModel tiny, int? window = null)
    {
        var config = tiny.Config();
        if (window is { } size)
        {
            config["sliding_window"] = JsonValue.Create(size);
        }

        tiny.WriteHub(_folder, config);
        return _source = ModelSource.Open(_folder.Path);
    }
}
