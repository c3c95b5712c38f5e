using Google.Protobuf;
using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.IntegrationTests.Services;
using Parallax.ModelFiles;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Manifests;
using Parallax.ModelFiles.Storage;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing.Models;

namespace Parallax.IntegrationTests.ModelFiles;

/// <summary>Model files travel between real peers over gRPC.</summary>
public sealed class FetchTests : IDisposable
{
    private readonly ModelFolder _folder = new();
    private readonly FilesPeer.Channels _channels = new();
    private readonly string _model;
    private readonly string _hash;

    public FetchTests()
    {
        // Six layers of 3 MB, 28 chunks.
        _model = _folder.Write(
            "tiny.gguf",
            new TinyModel { Architecture = "llama", Hidden = 256, Intermediate = 768, Heads = 4, KvHeads = 4, HeadDim = 64, Layers = 6, Vocabulary = 3000 }.Gguf().Build());
        using var model = ModelSource.Open(_model);
        _hash = model.WeightsHash;
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EnsureAsync_Part_FetchesThatPartOnly_AndServesItToOthers()
    {
        await using var whole = await FilesPeer.StartAsync(Cache("a"), _model);
        await using var part = await FilesPeer.StartAsync(Cache("b"));
        var path = await part.Store.EnsureAsync(Wanted(2, 4), [whole.Peer], _channels.Get, null, Token);

        var held = Assert.Single(part.Store.Held());
        Assert.Equal((false, _hash, new LayerSpan { Start = 2, End = 4 }), (held.Whole, held.WeightsHash, Assert.Single(held.Layers)));
        Assert.Equal(whole.Store.Held()[0].ManifestHash, held.ManifestHash);
        Assert.InRange(part.Store.Counters.BytesFetched, 6 << 20, 10 << 20);
        Assert.Equal(part.Store.Counters.BytesFetched, whole.Store.Counters.BytesServed);
        using (var model = ModelSource.Open(path))
        {
            Assert.Equal("tiny", model.DisplayName);
        }

        // The part is given on; what it lacks is not.
        await using var third = FilesPeer.NewStore(Cache("c"));
        await third.EnsureAsync(Wanted(3, 4), [part.Peer], _channels.Get, null, Token);
        Assert.Equal(new LayerSpan { Start = 3, End = 4 }, Assert.Single(Assert.Single(third.Held()).Layers));
        var problem = await Assert.ThrowsAsync<ModelFilesException>(() => third.EnsureAsync(Wanted(0, 2), [part.Peer], _channels.Get, null, Token));
        Assert.Equal(ModelFilesProblem.PeersGone, problem.Problem);
    }

    [Fact]
    public async Task EnsureAsync_PartsOfSeveralPeers_BecomeTheWholeThatWasMeant()
    {
        await using var whole = await FilesPeer.StartAsync(Cache("a"), _model);
        await using var first = await FilesPeer.StartAsync(Cache("b"));
        await using var last = await FilesPeer.StartAsync(Cache("c"));
        await first.Store.EnsureAsync(Wanted(0, 3), [whole.Peer], _channels.Get, null, Token);
        await last.Store.EnsureAsync(Wanted(3, 6), [whole.Peer], _channels.Get, null, Token);
        await whole.StopAsync();
        await using var store = FilesPeer.NewStore(Cache("d"));
        var reports = new List<FetchProgress>();

        var path = await store.EnsureAsync(Wanted(null), [first.Peer, last.Peer], _channels.Get, new Reports(reports), Token);

        Assert.Equal(File.ReadAllBytes(_model), File.ReadAllBytes(path));
        Assert.True(Assert.Single(store.Held()).Whole);
        Assert.True(first.Store.Counters.BytesServed > 0 && last.Store.Counters.BytesServed > 0);
        Assert.Equal(reports.Select(static report => report.BytesDone).Order(), reports.Select(static report => report.BytesDone));
        Assert.Equal((new FileInfo(_model).Length, new FileInfo(_model).Length), (reports[^1].BytesDone, reports[^1].BytesTotal));

        // Nobody is needed any more.
        Assert.Equal(path, await store.EnsureAsync(Wanted(1, 5), [], _channels.Get, null, Token));
    }

    [Fact]
    public async Task EnsureAsync_Folder_ArrivesUnderItsHubName()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "hub")).FullName;
        var tiny = new TinyModel { Architecture = "qwen3", Layers = 3 };
        File.WriteAllText(Path.Combine(folder, "config.json"), tiny.Config().ToJsonString());
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), "{}");
        File.WriteAllText(Path.Combine(folder, "README.md"), "not part of the model");
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), tiny.Safetensors().Build());
        await using var peer = await FilesPeer.StartAsync(Cache("a"), folder);
        await using var store = FilesPeer.NewStore(Cache("b"));
        var hash = Assert.Single(peer.Store.Held()).WeightsHash;

        var path = await store.EnsureAsync(new WantedModel("owner/hub", hash, null), [peer.Peer], _channels.Get, null, Token);

        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], Directory.EnumerateFiles(path).Select(Path.GetFileName).Order());
        using var model = ModelSource.Open(path);
        Assert.Equal(("owner/hub", hash), (model.DisplayName, model.WeightsHash));

        // A model of another name here is found under the swarm's name.
        var named = await peer.Store.EnsureAsync(new WantedModel("other", hash, null), [], _channels.Get, null, Token);
        using var link = ModelSource.Open(named);
        Assert.Equal("other", link.DisplayName);
    }

    [Fact]
    public async Task EnsureAsync_PeerSendsWrongBytes_IsNotAskedAgain()
    {
        var liarStore = FilesPeer.NewStore(Cache("a"), _model);
        var lies = new ScriptedFiles(liarStore)
        {
            OnPart = static (part, _) =>
            {
                if (part.Chunk % 4 == 1 && part.Offset == 0)
                {
                    var bytes = part.Data.ToByteArray();
                    bytes[17] ^= 1;
                    part.Data = ByteString.CopyFrom(bytes);
                }

                return Task.CompletedTask;
            },
        };
        await using var liar = await FilesPeer.StartAsync(liarStore, lies);
        await using var honest = await FilesPeer.StartAsync(Cache("b"), _model);
        await using var store = FilesPeer.NewStore(Cache("c"));

        var alone = await Assert.ThrowsAsync<ModelFilesException>(() => store.EnsureAsync(Wanted(null), [liar.Peer], _channels.Get, null, Token));
        Assert.Contains("wrong chunk", alone.Message, StringComparison.Ordinal);
        var asked = lies.Fetches;
        var path = await store.EnsureAsync(Wanted(null), [liar.Peer, honest.Peer], _channels.Get, null, Token);

        Assert.Equal(File.ReadAllBytes(_model), File.ReadAllBytes(path));
        Assert.Equal(asked, lies.Fetches);
        Assert.InRange(store.Counters.PeersBanned, 1, 2);
    }

    [Fact]
    public async Task EnsureAsync_GivenUpInTheMiddle_GoesOnWhereItWas()
    {
        await using var peer = await FilesPeer.StartAsync(Cache("a"), _model);
        long before;
        await using (var store = FilesPeer.NewStore(Cache("b")))
        {
            using var stop = new CancellationTokenSource();
            var progress = new Reports([]) { OnReport = report => { if (report.BytesDone > 5 << 20) { stop.Cancel(); } } };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.EnsureAsync(Wanted(null), [peer.Peer], _channels.Get, progress, stop.Token));
            before = store.Counters.BytesFetched;
        }

        await using var again = FilesPeer.NewStore(Cache("b"));
        var path = await again.EnsureAsync(Wanted(null), [peer.Peer], _channels.Get, null, Token);

        Assert.InRange(before, 5 << 20, new FileInfo(_model).Length - 1);
        Assert.Equal(new FileInfo(_model).Length, before + again.Counters.BytesFetched);
        Assert.Equal(File.ReadAllBytes(_model), File.ReadAllBytes(path));
    }

    [Fact]
    public async Task EnsureAsync_PeerGoesInTheMiddle_AnotherGoesOn()
    {
        var store = FilesPeer.NewStore(Cache("a"), _model);
        var parts = 0;
        FilesPeer? dying = null;
        await using var living = await FilesPeer.StartAsync(Cache("b"), _model);
        dying = await FilesPeer.StartAsync(store, new ScriptedFiles(store)
        {
            OnPart = async (_, cancellationToken) =>
            {
                if (Interlocked.Increment(ref parts) > 30)
                {
                    throw new IOException("the machine is gone");
                }

                await Task.Yield();
            },
        });
        await using var fetching = FilesPeer.NewStore(Cache("c"));

        var path = await fetching.EnsureAsync(Wanted(null), [dying.Peer, living.Peer], _channels.Get, null, Token);

        Assert.Equal(File.ReadAllBytes(_model), File.ReadAllBytes(path));
        Assert.True(parts > 30);
        Assert.Equal(0, fetching.Counters.PeersBanned);
        await dying.DisposeAsync();
    }

    [Fact]
    public async Task EnsureAsync_NobodyLeft_SaysSo_AndWhatCameIsKept()
    {
        var store = FilesPeer.NewStore(Cache("a"), _model);
        var broken = true;
        await using var peer = await FilesPeer.StartAsync(store, new ScriptedFiles(store)
        {
            OnPart = (part, _) => broken && part.Chunk >= 6 ? throw new IOException("gone") : Task.CompletedTask,
        });
        await using var fetching = FilesPeer.NewStore(Cache("b"));

        var problem = await Assert.ThrowsAsync<ModelFilesException>(() => fetching.EnsureAsync(Wanted(null), [peer.Peer], _channels.Get, null, Token));
        Assert.Equal(ModelFilesProblem.PeersGone, problem.Problem);
        Assert.Contains(peer.Address.Authority, problem.Message, StringComparison.Ordinal);
        var before = fetching.Counters.BytesFetched;
        Assert.InRange(before, 6 << 20, 7 << 20);

        broken = false;
        await fetching.EnsureAsync(Wanted(null), [peer.Peer], _channels.Get, null, Token);
        Assert.Equal(new FileInfo(_model).Length, fetching.Counters.BytesFetched);
    }

    [Fact]
    public async Task EnsureAsync_SilentPeer_IsLeftForAnother()
    {
        var store = FilesPeer.NewStore(Cache("a"), _model);
        await using var silent = await FilesPeer.StartAsync(store, new ScriptedFiles(store) { OnPart = static (_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken) });
        await using var living = await FilesPeer.StartAsync(Cache("b"), _model);
        await using var fetching = FilesPeer.NewStore(new ModelStoreOptions { CacheFolder = Cache("c"), Patience = TimeSpan.FromSeconds(2) });

        var path = await fetching.EnsureAsync(Wanted(null), [silent.Peer, living.Peer], _channels.Get, null, Token);

        Assert.Equal(File.ReadAllBytes(_model), File.ReadAllBytes(path));
    }

    [Fact]
    public async Task EnsureAsync_NoPeerOrUnknownModel_SaysSo()
    {
        await using var peer = await FilesPeer.StartAsync(Cache("a"));
        await using var store = FilesPeer.NewStore(Cache("b"));

        foreach (var peers in (ModelPeer[][])[[], [peer.Peer], [new ModelPeer(new Uri("http://127.0.0.1:1"), null)]])
        {
            var problem = await Assert.ThrowsAsync<ModelFilesException>(() => store.EnsureAsync(Wanted(null), peers, _channels.Get, null, Token));
            Assert.Equal(ModelFilesProblem.NoPeer, problem.Problem);
        }

        Assert.Empty(store.Held());
        await Assert.ThrowsAsync<ModelFilesException>(() => store.EnsureAsync(new WantedModel("tiny", "../../etc", null), [peer.Peer], _channels.Get, null, Token));
    }

    [Fact]
    public async Task EnsureAsync_WrongLayersOrDangerousName_IsRefusedBeforeAnythingIsWritten()
    {
        await using var peer = await FilesPeer.StartAsync(Cache("a"), _model);
        await using var store = FilesPeer.NewStore(Cache("b"));

        await Assert.ThrowsAsync<LayerRangeException>(() => store.EnsureAsync(Wanted(4, 7), [peer.Peer], _channels.Get, null, Token));
        var name = await Assert.ThrowsAsync<ModelFilesException>(() => store.EnsureAsync(new WantedModel("../../up", _hash, null), [peer.Peer], _channels.Get, null, Token));

        Assert.Equal(ModelFilesProblem.Name, name.Problem);
        Assert.False(Directory.Exists(Path.Combine(Cache("b"), _hash)));
    }

    [Fact]
    public async Task EnsureAsync_PeersDescribeItDifferently_NeedsAName()
    {
        var other = Directory.CreateDirectory(Path.Combine(_folder.Path, "other")).FullName;
        var same = Directory.CreateDirectory(Path.Combine(_folder.Path, "same")).FullName;
        var tiny = new TinyModel { Architecture = "qwen3", Layers = 3 };
        foreach (var folder in (string[])[other, same])
        {
            File.WriteAllText(Path.Combine(folder, "config.json"), tiny.Config().ToJsonString());
            File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), tiny.Safetensors().Build());
        }

        File.WriteAllText(Path.Combine(other, "tokenizer.json"), "{}"); // no part of the weights hash
        await using var first = await FilesPeer.StartAsync(Cache("a"), other);
        await using var second = await FilesPeer.StartAsync(Cache("b"), same);
        await using var store = FilesPeer.NewStore(Cache("c"));
        var held = first.Store.Held()[0];
        var wanted = new WantedModel("tiny", held.WeightsHash, null);

        var problem = await Assert.ThrowsAsync<ModelFilesException>(() => store.EnsureAsync(wanted, [first.Peer, second.Peer], _channels.Get, null, Token));
        Assert.Equal(ModelFilesProblem.Disagreement, problem.Problem);

        var path = await store.EnsureAsync(wanted with { ManifestHash = held.ManifestHash }, [second.Peer, first.Peer], _channels.Get, null, Token);
        Assert.True(File.Exists(Path.Combine(path, "tokenizer.json")));
        Assert.Equal(0, second.Store.Counters.BytesServed);

        // Another description is trusted now: what was fetched by the old one goes.
        path = await store.EnsureAsync(wanted with { ManifestHash = second.Store.Held()[0].ManifestHash }, [second.Peer, first.Peer], _channels.Get, null, Token);
        Assert.False(File.Exists(Path.Combine(path, "tokenizer.json")));
    }

    [Fact]
    public async Task EnsureAsync_WholeIsAnotherModel_IsDeleted()
    {
        // A peer whose manifest claims another model's hash for its files: every chunk is right, and the model is wrong.
        var claimed = new string('e', 64);
        using (var model = ModelSource.Open(_model))
        {
            new ManifestCache(Path.Combine(Cache("a"), "manifests")).Write(_model, [_model], ManifestBuilder.Build(model, claimed, Token));
        }

        await using var liar = await FilesPeer.StartAsync(Cache("a"), _model);
        await using var store = FilesPeer.NewStore(Cache("b"));

        var problem = await Assert.ThrowsAsync<ModelFilesException>(() => store.EnsureAsync(new WantedModel("tiny", claimed, null), [liar.Peer], _channels.Get, null, Token));

        Assert.Equal(ModelFilesProblem.Mismatch, problem.Problem);
        Assert.Empty(store.Held());
        Assert.False(Directory.Exists(Path.Combine(Cache("b"), claimed)));
    }

    [Fact]
    public async Task EnsureAsync_TwoProcessesOneCache_FetchOnce()
    {
        await using var peer = await FilesPeer.StartAsync(Cache("a"), _model);
        await using var one = FilesPeer.NewStore(Cache("b"));
        await using var two = FilesPeer.NewStore(Cache("b"));

        await Task.WhenAll(
            one.EnsureAsync(Wanted(0, 4), [peer.Peer], _channels.Get, null, Token),
            two.EnsureAsync(Wanted(0, 4), [peer.Peer], _channels.Get, null, Token),
            two.EnsureAsync(Wanted(2, 6), [peer.Peer], _channels.Get, null, Token));

        Assert.Equal(new FileInfo(_model).Length, one.Counters.BytesFetched + two.Counters.BytesFetched);
        Assert.True(Assert.Single(one.Held()).Whole); // as the other's writing has made it
    }

    [Fact]
    public async Task Fetch_WhatMayNotBeHad_IsRefused()
    {
        await using var whole = await FilesPeer.StartAsync(Cache("a"), _model);
        await using var part = await FilesPeer.StartAsync(Cache("b"));
        await part.Store.EnsureAsync(Wanted(5, 6), [whole.Peer], _channels.Get, null, Token);
        var manifest = part.Store.Held()[0].ManifestHash;
        var client = _channels.Client(part.Address);

        Assert.Equal(StatusCode.NotFound, await StatusOfAsync(client, new FetchRequest { WeightsHash = new string('0', 64), ManifestHash = manifest, Chunks = { 0 } }));
        Assert.Equal(StatusCode.FailedPrecondition, await StatusOfAsync(client, new FetchRequest { WeightsHash = _hash, ManifestHash = new string('0', 64), Chunks = { 0 } }));
        Assert.Equal(StatusCode.FailedPrecondition, await StatusOfAsync(client, new FetchRequest { WeightsHash = _hash, ManifestHash = manifest, Chunks = { 6 } }));
        foreach (var wrong in (int[][])[[], [-1], [1 << 20], [0, 0], [1, 0]])
        {
            Assert.Equal(StatusCode.InvalidArgument, await StatusOfAsync(client, new FetchRequest { WeightsHash = _hash, ManifestHash = manifest, Chunks = { wrong } }));
        }

        Assert.Equal(StatusCode.InvalidArgument, await StatusOfAsync(client, new FetchRequest { WeightsHash = _hash, ManifestHash = manifest, File = 1, Chunks = { 0 } }));
        Assert.Equal(StatusCode.OK, await StatusOfAsync(client, new FetchRequest { WeightsHash = _hash, ManifestHash = manifest, Chunks = { 0 } }));
    }

    [Fact]
    public async Task Fetch_TooManyStreams_AreRefused_AndReadersThatStopLoseTheirs()
    {
        await using var peer = await FilesPeer.StartAsync(FilesPeer.NewStore(new ModelStoreOptions
        {
            CacheFolder = Cache("a"),
            Paths = [_model],
            MaxServeStreams = 2,
            Patience = TimeSpan.FromSeconds(5), // a stall must not end them sooner
        }));
        var client = _channels.Client(peer.Address);
        var manifest = peer.Store.Held()[0].ManifestHash;
        var request = new FetchRequest { WeightsHash = _hash, ManifestHash = manifest, Chunks = { Enumerable.Range(0, 20) } };
        using var first = client.Fetch(request, cancellationToken: Token);
        using var second = client.Fetch(request, cancellationToken: Token);
        Assert.True(await first.ResponseStream.MoveNext(Token) && await second.ResponseStream.MoveNext(Token));

        Assert.Equal(StatusCode.ResourceExhausted, await StatusOfAsync(client, request));
        Assert.Equal(1, peer.Store.Counters.StreamsRefused);

        // Neither is read on: 20 MB do not fit into what the connection takes, so both are ended.
        await Eventually.TrueAsync(async () => await StatusOfAsync(client, new FetchRequest { WeightsHash = _hash, ManifestHash = manifest, Chunks = { 0 } }) == StatusCode.OK);
    }

    public void Dispose()
    {
        _channels.Dispose();
        _folder.Dispose();
    }

    private static async Task<StatusCode> StatusOfAsync(Contracts.V1.ModelFiles.ModelFilesClient client, FetchRequest request)
    {
        try
        {
            using var call = client.Fetch(request, cancellationToken: Token);
            await foreach (var _ in call.ResponseStream.ReadAllAsync(Token))
            {
            }

            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    private string Cache(string name) => Path.Combine(_folder.Path, name);

    private WantedModel Wanted(int start, int end) => Wanted(new LayerRange(start, end));

    private WantedModel Wanted(LayerRange? layers) => new("tiny", _hash, layers);

    private sealed class Reports(List<FetchProgress> reports) : IProgress<FetchProgress>
    {
        public Action<FetchProgress>? OnReport { get; init; }

        public void Report(FetchProgress value)
        {
            reports.Add(value);
            OnReport?.Invoke(value);
        }
    }
}
