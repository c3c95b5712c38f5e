using System.Text.Json.Nodes;
using Parallax.Contracts.Identifiers;
using Parallax.Pipeline.Stages;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;
using Parallax.Testing;
using Parallax.Testing.Execution;
using Parallax.Testing.Models;
using Parallax.Testing.Pipeline;

namespace Parallax.UnitTests.Pipeline;

/// <summary>Stages in a ring give the tokens of the whole model, whatever happens on the way.</summary>
public sealed class StageRingTests : IDisposable
{
    private static readonly TinyModel Model = new() { Architecture = "llama", Layers = 6, Vocabulary = 211 };
    private static readonly TinyModel Windowed = new() { Architecture = "mistral", Layers = 4, Vocabulary = 211 };

    private readonly IComputeBackend _backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });

    public static TheoryData<string, ResidualPrecision> Cuts() => new()
    {
        { "3", ResidualPrecision.BF16 },
        { "1", ResidualPrecision.F32 },
        { "2 4", ResidualPrecision.BF16 },
        { "1 2", ResidualPrecision.F32 },
        { "1 3 4", ResidualPrecision.BF16 },
        { "1 2 3 4 5", ResidualPrecision.BF16 },
    };

    public void Dispose() => _backend.Dispose();

    [Theory]
    [MemberData(nameof(Cuts))]
    public void Run_AnyCut_GivesTheTokensOfTheWholeModel(string cuts, ResidualPrecision precision)
    {
        for (var seed = 1; seed <= 4; seed++)
        {
            Check(Model, null, Parse(cuts), precision, seed, kvTokens: 4096, faults: 0);
        }
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public void Run_LinksCutInMidStream_NothingIsLostOrRepeated(string cuts, ResidualPrecision precision)
    {
        var broken = 0;
        for (var seed = 1; seed <= 8; seed++)
        {
            broken += Check(Model, null, Parse(cuts), precision, seed, kvTokens: 4096, faults: 40).Cuts;
        }

        Assert.True(broken > 20, $"only {broken} links were cut");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Run_StagesShortOfBlocks_EvictAndGoOn(int seed)
    {
        var preemptions = 0;
        for (var i = 0; i < 4; i++)
        {
            preemptions += Check(Model, null, [2, 4], ResidualPrecision.BF16, (seed * 100) + i, kvTokens: 192, faults: i * 10).Preemptions;
        }

        Assert.True(preemptions > 0, "nobody was short of blocks");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Run_SlidingWindows_GiveTheTokensOfTheWholeModel(int seed)
    {
        for (var i = 0; i < 4; i++)
        {
            Check(Windowed, 21, [1, 3], ResidualPrecision.BF16, (seed * 100) + i, kvTokens: i % 2 == 0 ? 2048 : 240, faults: i * 6);
        }
    }

    [Fact]
    public void Run_RoundingOnlyWhereItIsCut_IsFoundOut() =>
        Assert.Throws<Xunit.Sdk.EqualException>(() => Check(
            Model, null, [3], ResidualPrecision.BF16, seed: 1, kvTokens: 4096, faults: 0, (backend, layers) => new RoundsAtShardEnd(backend, layers)));

    private (int Preemptions, int Cuts) Check(TinyModel tiny, int? window, int[] cuts, ResidualPrecision precision, int seed, int kvTokens, int faults, Func<IComputeBackend, int, IComputeBackend>? decorate = null)
    {
        using var folder = new ModelFolder();
        var config = tiny.Config();
        if (window is { } size)
        {
            config["sliding_window"] = JsonValue.Create(size);
        }

        tiny.WriteHub(folder, config);
        using var source = ModelSource.Open(folder.Path);
        var random = new Random(seed);
        var prompts = Enumerable.Range(0, 7).Select(i => Prompt(random, i)).ToArray();
        var answers = Enumerable.Range(0, 7).Select(_ => 1 + random.Next(24)).ToArray();
        var expected = prompts.Select((prompt, i) => Whole(source, precision, prompt, Sampling(i, answers[i]))).ToArray();

        var options = new StageEngineOptions
        {
            Executor = new ExecutorOptions { MaxBatch = 4, TokenBudget = 64, MixedPrefillTokens = 16, MaxSessions = 16 },
            WindowRows = 64,
            JournalBytes = 1 << 20,
        };
        int[] bounds = [0, .. cuts, source.Spec.Layers.Length];
        var shards = Enumerable.Range(0, bounds.Length - 1).Select(i => Load(source, precision, new LayerRange(bounds[i], bounds[i + 1]), kvTokens, decorate)).ToArray();
        using var ring = new MemoryRing(shards, () => new TokenSamplerFactory(), seed, options) { FaultsPerThousand = faults, FullPerThousand = 100 };
        var sessions = prompts.Select((prompt, i) => ring.Open(prompt, Sampling(i, answers[i]), arrival: i + 1, client: $"c{i % 3}")).ToArray();
        Assert.Null(ring.Run());
        for (var i = 0; i < sessions.Length; i++)
        {
            Assert.Empty(sessions[i].OtherEnds);
            Assert.Equal(expected[i].Tokens, sessions[i].Sink.Tokens);
            Assert.Equal(expected[i].LogProbs, sessions[i].Sink.LogProbs);
        }


        ring.CancelAll();
        foreach (var loop in ring.Loops)
        {
            loop.Step(TimeSpan.MaxValue);
            Assert.Equal(0, loop.SessionCount);
            Assert.Equal(0, loop.Cache.UsedBlocks);
            Assert.Equal(0, loop.JournalBytes);
            loop.Dispose();
        }

        ring.CancelAll();
        Assert.Empty(ring.Pool.Leaks());
        return (ring.Preemptions, ring.Cuts);
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

    private ModelShard Load(
        ModelSource source, ResidualPrecision precision, LayerRange? range, int kvTokens, Func<IComputeBackend, int, IComputeBackend>? decorate = null) => ModelShard.Load(
        source.Spec,
        source.Weights,
        decorate?.Invoke(_backend, range!.Value.Count) ?? _backend,
        new ModelShardOptions { Range = range, Residual = precision, KvTokens = kvTokens, WeightsHash = "test" });

    private RecordingSink Whole(ModelSource source, ResidualPrecision precision, int[] prompt, SamplingParameters sampling)
    {
        using var shard = Load(source, precision, null, 512);
        var loop = new EngineLoop(shard, new ExecutorOptions(), new TokenSamplerFactory());
        var id = SessionId.New();
        var epoch = new Epoch(1, Guid.Empty, 0);
        var sink = new RecordingSink { Token = token => loop.Acknowledge(id, epoch, prompt.Length + token.Index + 1) };
        var opened = loop.Open(
            new OpenRequest { Session = id, Epoch = epoch, PromptTokenIds = [.. prompt], Sampling = sampling }, sink, TimeSpan.Zero);
        Assert.Null(opened.Refusal);
        loop.Start(id, epoch, 0);
        while (loop.Step(TimeSpan.Zero))
        {
        }

        Assert.Equal(FinishReason.Length, sink.Finished.Result.Reason);
        return sink;
    }
}
