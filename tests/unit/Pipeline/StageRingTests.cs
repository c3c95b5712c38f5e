using System.Text.Json.Nodes;
using Parallax.Pipeline.Stages;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;
using Parallax.Testing.Execution;
using Parallax.Testing.Models;
using Parallax.Testing.Pipeline;

namespace Parallax.UnitTests.Pipeline;

/// <summary>Stages in a ring give the bits of the whole model, whatever happens on the way.</summary>
public sealed class StageRingTests : IDisposable
{
    private static readonly TinyModel Model = new() { Architecture = "llama", Layers = 6, Vocabulary = 211 };
    private static readonly TinyModel Windowed = new() { Architecture = "mistral", Layers = 4, Vocabulary = 211 };

    private static readonly StageEngineOptions Options = new()
    {
        Executor = new ExecutorOptions { MaxBatch = 4, TokenBudget = 64, MixedPrefillTokens = 16, MaxSessions = 16 },
        WindowRows = 64,
        JournalBytes = 1 << 20,
    };

    private readonly IComputeBackend _backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
    private readonly ModelFolder _folder = new();
    private ModelSource? _source;

    public static TheoryData<string, ResidualPrecision> Cuts() => new()
    {
        { "3", ResidualPrecision.BF16 },
        { "1", ResidualPrecision.F32 },
        { "2 4", ResidualPrecision.BF16 },
        { "1 2", ResidualPrecision.F32 },
        { "1 3 4", ResidualPrecision.BF16 },
        { "1 2 3 4 5", ResidualPrecision.BF16 },
    };

    public void Dispose()
    {
        _source?.Dispose();
        _folder.Dispose();
        _backend.Dispose();
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public void Run_AnyCut_GivesTheBitsOfTheWholeModel(string cuts, ResidualPrecision precision)
    {
        var source = Open(Model);
        foreach (var microBatches in (int?[])[null, 1, 3])
        {
            for (var seed = 1; seed <= 2; seed++)
            {
                var check = new PipelineCheck(source, _backend, precision, Sessions(seed)) { Options = Options with { MicroBatches = microBatches } };
                Assert.Null(check.Difference(Parse(cuts), seed));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public void Run_LinksCutInMidStream_NothingIsLostOrRepeated(string cuts, ResidualPrecision precision)
    {
        var check = new PipelineCheck(Open(Model), _backend, precision, Sessions(1)) { Options = Options };
        var broken = 0;
        for (var seed = 1; seed <= 8; seed++)
        {
            Assert.Null(check.Difference(Parse(cuts), seed, faults: 40));
            broken += check.Cuts;
        }

        Assert.True(broken > 20, $"only {broken} links were cut");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Run_StagesShortOfBlocks_EvictAndGoOn(int seed)
    {
        var check = new PipelineCheck(Open(Model), _backend, ResidualPrecision.BF16, Sessions(seed)) { Options = Options, KvTokens = 192 };
        var preemptions = 0;
        for (var i = 0; i < 4; i++)
        {
            Assert.Null(check.Difference([2, 4], (seed * 100) + i, faults: i * 10));
            preemptions += check.Preemptions;
        }

        Assert.True(preemptions > 0, "nobody was short of blocks");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Run_SlidingWindows_GiveTheBitsOfTheWholeModel(int seed)
    {
        var source = Open(Windowed, window: 21);
        foreach (var kvTokens in (int[])[2048, 240])
        {
            var check = new PipelineCheck(source, _backend, ResidualPrecision.BF16, Sessions(seed)) { Options = Options, KvTokens = kvTokens };
            Assert.Null(check.Difference([1, 3], seed));
            Assert.Null(check.Difference([2], seed + 10, faults: 20));
        }
    }

    [Fact]
    public void Run_RoundingOnlyWhereItIsCut_IsFoundOut()
    {
        var check = new PipelineCheck(Open(Model), _backend, ResidualPrecision.BF16, Sessions(1))
        {
            Options = Options,
            Decorate = static (backend, layers) => new RoundsAtShardEnd(backend, layers),
        };
        Assert.Contains("differ", check.Difference([3], seed: 1), StringComparison.Ordinal);
    }

    /// <summary>A class of its own: it serves, with other logits than the exact one.</summary>
    [Fact]
    public void Run_LinksIn8BitBlocks_ServesWithOtherLogits()
    {
        var check = new PipelineCheck(Open(Model), _backend, ResidualPrecision.BF16, Sessions(1)) { Options = Options, Links = LinkPrecision.Blocks8 };
        Assert.Contains("the logits of token", check.Difference([3], seed: 1), StringComparison.Ordinal);
        Assert.Contains("the logits of token", check.Difference([2, 4], seed: 1, faults: 20), StringComparison.Ordinal);
    }

    private static (int[] Prompt, SamplingParameters Sampling)[] Sessions(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 7).Select(i => (Prompt(random, i), Sampling(i, 1 + random.Next(24))))];
    }

    private static int[] Prompt(Random random, int i)
    {
        // Some share a prefix, so that blocks are adopted from one another.
        var shared = Enumerable.Range(0, 40).Select(position => (position * 7) % 200);
        var own = Enumerable.Range(0, 1 + random.Next(60)).Select(_ => random.Next(200));
        return i % 2 == 0 ? [.. own] : [.. shared, .. own];
    }

    private static SamplingParameters Sampling(int i, int maxTokens) => new()
    {
        MaxTokens = maxTokens,
        Temperature = i % 3 == 0 ? 0 : 1.1f,
        Seed = (ulong)i,
        TopLogProbs = i % 4 == 3 ? null : i % 3,
        RepetitionPenalty = i % 3 == 2 ? 1.3f : 1f,
    };

    private static int[] Parse(string cuts) => [.. cuts.Split(' ').Select(int.Parse)];

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
