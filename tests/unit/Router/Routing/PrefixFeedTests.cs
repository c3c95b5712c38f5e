using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.KvIndex.Events;
using Parallax.KvIndex.Index;
using Parallax.Router.Routing;
using Parallax.Runtime.KvCache;
using Parallax.Swarm.Telemetry;
using static Parallax.UnitTests.Router.Routing.PathMaps;
using ShardBlocks = Parallax.KvIndex.Events.ShardBlocks;

namespace Parallax.UnitTests.Router.Routing;

/// <summary>The router's prefix index from message to answer.</summary>
public sealed class PrefixFeedTests : IAsyncDisposable
{
    private const string Swarm = "home";
    private readonly PeerKey _key = PeerKey.Create();
    private readonly Bus _bus = new();
    private readonly View _view = new();
    private readonly PrefixFeed _feed;
    private readonly PromptPrefix _prompt = new([.. Enumerable.Range(0, 65)], "salt");

    public PrefixFeedTests() => _feed = new PrefixFeed(
        _bus, _view, Swarm, new PrefixIndex(new PrefixIndexOptions { Capacity = 100 }), TimeProvider.System, NullLogger<PrefixFeed>.Instance);

    private string Worker => _key.Id.ToString();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _feed.StopAsync(CancellationToken.None);
        _feed.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task Announced_IsFoundOnTheMap_InTokens()
    {
        _view.Show(Worker, incarnation: 1);
        await _feed.StartAsync(Token);
        Announce(_key, 1, begins: true, blocks: 3);
        await UntilAsync(() => _feed.Counts.Pairs == 3);

        var map = Map(Node("other", Named()), Node(Worker, Named()));
        var cached = _feed.CachedTokens(map, _prompt).ToArray();
        Assert.Equal(map.Nodes.Select(node => node.WorkerId == Worker ? 48 : 0), cached);
        Assert.True(_feed.CachedTokens(map, new PromptPrefix([.. Enumerable.Range(0, 65)], "")).IsEmpty);
    }

    [Fact]
    public async Task Forged_AndStrangers_AreRefused()
    {
        using var stranger = PeerKey.Create();
        _view.Show(Worker, incarnation: 1);
        await _feed.StartAsync(Token);
        Announce(stranger, 1, begins: true, blocks: 3); // not on the map
        _bus.Blocks.Writer.TryWrite(new BlockNews(Worker, BlockEnvelope.Seal(stranger, Swarm, Batch(1, begins: true, blocks: 3))));
        _bus.Blocks.Writer.TryWrite(new BlockNews(Worker, BlockEnvelope.Seal(_key, "elsewhere", Batch(1, begins: true, blocks: 3))));
        _bus.Blocks.Writer.TryWrite(new BlockNews(Worker, BlockEnvelope.Seal(_key, Swarm, [0xff])));
        await UntilAsync(() => _feed.Refused == 4);
        Assert.Equal(0, _feed.Counts.Pairs);
    }

    [Fact]
    public async Task Missed_IsAskedFor_AndCountsForNothingUntilItComes()
    {
        _view.Show(Worker, incarnation: 1);
        await _feed.StartAsync(Token);
        Announce(_key, 7, begins: false, blocks: 3);
        await UntilAsync(() => _bus.Asked.Count > 0);
        Assert.Equal((Worker, 1L, 0), (_bus.Asked[0].Worker, BlockWire.ReadAsk(_bus.Asked[0].Message.Span) ?? -1, _feed.Counts.Pairs));
        Announce(_key, 8, begins: true, blocks: 0);
        Announce(_key, 9, begins: false, blocks: 2);
        await UntilAsync(() => _feed.Counts.Pairs == 2);
    }

    [Fact]
    public async Task WhoLeavesTheMap_IsForgotten()
    {
        _view.Show(Worker, incarnation: 1);
        await _feed.StartAsync(Token);
        Announce(_key, 1, begins: true, blocks: 3);
        await UntilAsync(() => _feed.Counts.Usable == 1);
        _view.Show(Worker, incarnation: 2);
        await UntilAsync(() => _feed.Counts.Workers == 0);
    }

    private static ShardCandidate Named() => new(Offer(0, 20) with { ShardId = "s" });

    private void Announce(PeerKey key, long sequence, bool begins, int blocks) =>
        _bus.Blocks.Writer.TryWrite(new BlockNews(key.Id.ToString(), BlockEnvelope.Seal(key, Swarm, Batch(sequence, begins, blocks))));

    private static byte[] Batch(long sequence, bool begins, int blocks)
    {
        var chain = BlockChain.Of(Class("00"), "salt", [.. Enumerable.Range(0, 64)], blocks);
        ImmutableArray<ShardBlocks> shards = blocks == 0 ? [] : [new ShardBlocks("s", new LayerRange(0, 20), Clear: false, [], [.. chain])];
        return BlockWire.Write(new BlockBatch(1, sequence, begins, shards));
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            await Task.Delay(5, patience.Token);
        }
    }

    private sealed class View : ISwarmView
    {
        public SwarmMapSnapshot Current { get; private set; } = SwarmMapSnapshot.Empty;

        public Task Changed { get; } = new TaskCompletionSource().Task;

        public void Show(string worker, long incarnation) => Current = new SwarmMapSnapshot(
            [new SwarmWorker(new WorkerRecord { WorkerId = worker, Incarnation = incarnation }, 0, long.MaxValue)]);
    }

    private sealed class Bus : IBlockNews
    {
        public Channel<BlockNews> Blocks { get; } = Channel.CreateUnbounded<BlockNews>();

        public ImmutableList<BlockNews> Asked { get; private set; } = [];

        public bool IsConnected => true;

        public long Connections => 1;

        public bool TryAnnounce(string worker, ReadOnlyMemory<byte> message) => false;

        public bool TryAsk(string worker, ReadOnlyMemory<byte> message)
        {
            Asked = Asked.Add(new BlockNews(worker, message));
            return true;
        }

        public ChannelReader<BlockNews> ListenToBlocks() => Blocks.Reader;

        public ChannelReader<BlockNews> ListenToAsks(string worker) => throw new NotSupportedException();
    }
}
