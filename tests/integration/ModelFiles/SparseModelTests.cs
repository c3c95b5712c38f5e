using Parallax.Contracts.Identifiers;
using Parallax.ModelFiles.Storage;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing;
using Parallax.Testing.Execution;
using Parallax.Testing.Models;

namespace Parallax.IntegrationTests.ModelFiles;

/// <summary>Layers that were fetched from a peer compute the bits of the whole file.</summary>
public sealed class SparseModelTests : IDisposable
{
    private static readonly string SmolLm2 = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
    private readonly ModelFolder _folder = new();
    private readonly FilesPeer.Channels _channels = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 10)]
    [InlineData(10, 20)]
    [InlineData(20, 30)]
    public async Task Load_SomeLayersOfSmolLm2_ComputesTheBitsOfTheWhole(int start, int end)
    {
        Assert.SkipWhen(TestData.MissingReason(SmolLm2) is not null, TestData.MissingReason(SmolLm2) ?? "");
        var range = new LayerRange(start, end);
        await using var peer = await FilesPeer.StartAsync(Path.Combine(_folder.Path, "a"), SmolLm2);
        var held = Assert.Single(peer.Store.Held());
        await using var store = FilesPeer.NewStore(Path.Combine(_folder.Path, "b"));
        var path = await store.EnsureAsync(
            new WantedModel("SmolLM2", held.WeightsHash, range) { ManifestHash = held.ManifestHash }, [peer.Peer], _channels.Get, null, Token);
        TestContext.Current.TestOutputHelper?.WriteLine($"{range}: {store.Counters.BytesFetched} of {new FileInfo(SmolLm2).Length} bytes");
        Assert.InRange(store.Counters.BytesFetched, 1, new FileInfo(SmolLm2).Length * 7 / 10);

        using var loader = ShardLoader.Open(new LocalEngineOptions { ModelPath = path, Range = range, WeightsHash = held.WeightsHash, KvTokens = 64, ContextLimit = 64, Threads = 2 });
        Assert.Equal("SmolLM2", loader.ModelName);
        using var loaded = loader.Load(cancellationToken: Token);
        using var sparse = loaded.Shard;
        Assert.Equal(held.WeightsHash, sparse.NumericClass.WeightsHash);
        int[] tokens = [1, 4093, 198, 2683, 359, 253, 5356, 5646];
        using var model = ModelSource.Open(SmolLm2);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 2 });
        using var chain = ShardChain.Load(model, backend, new ShardChainOptions { Cuts = [10, 20], KvTokens = 64 });
        var session = chain.Run(tokens);

        var hidden = start == 0 ? new float[tokens.Length * model.Spec.HiddenSize] : [.. chain.Boundaries[(start / 10) - 1]];
        var logits = end == 30 ? new float[model.Spec.VocabularySize] : [];
        var batch = new StepBatch();
        batch.Add(tokens, 0, [.. sparse.KvGroups.Select(static _ => (int[])[0, 1, 2, 3])], wantLastLogits: end == 30);
        sparse.Forward(batch, hidden, logits);

        Assert.Null(Bits.Difference(chain.Boundaries[start / 10], sparse.ReadResidual(normed: false)));
        if (end == 30)
        {
            Assert.Null(Bits.Difference(session.Logits[tokens.Length - 1], logits));
        }
    }

    public void Dispose()
    {
        _channels.Dispose();
        _folder.Dispose();
    }
}
