using System.Buffers;
using Parallax.Contracts.Subjects;
using Parallax.Identity;
using Parallax.Swarm.Telemetry;

namespace Parallax.UnitTests.Telemetry;

public sealed class BlockExchangeTests : IDisposable
{
    private readonly SwarmSubjects _subjects = new("home");
    private readonly PeerKey _key = PeerKey.Create();
    private readonly BlockExchange _blocks;

    public BlockExchangeTests() => _blocks = new BlockExchange(_subjects);

    private string Worker => _key.Id.ToString();

    public void Dispose() => _key.Dispose();

    [Fact]
    public void Messages_GoToWhoeverListens()
    {
        Arrive(_subjects.Blocks(Worker), 1); // nobody listens yet
        var blocks = _blocks.ListenToBlocks();
        var asks = _blocks.ListenToAsks(Worker);
        Arrive(_subjects.Blocks(Worker), 2);
        Arrive(_subjects.BlockAsk(Worker), 3);
        Arrive(_subjects.BlockAsk(new string('a', 40)), 4);
        Assert.Equal([2], All(blocks));
        Assert.Equal([3], All(asks));
        Assert.Equal(0, _blocks.Refused);
    }

    [Fact]
    public void WhatIsNoMessage_IsRefusedAndCounted()
    {
        var blocks = _blocks.ListenToBlocks();
        var asks = _blocks.ListenToAsks(Worker);
        Arrive(_subjects.Record(Worker), 1);
        Arrive("other", 1);
        Arrive("parallax.home.worker.nobody.kv", 1);
        _blocks.Arrived(_subjects.Blocks(Worker), hasHeaders: true, new ReadOnlySequence<byte>([1]));
        _blocks.Arrived(_subjects.Blocks(Worker), hasHeaders: false, ReadOnlySequence<byte>.Empty);
        _blocks.Arrived(_subjects.Blocks(Worker), hasHeaders: false, new ReadOnlySequence<byte>(new byte[BlockEnvelope.MaxBytes + 1]));
        _blocks.Arrived(_subjects.BlockAsk(Worker), hasHeaders: false, new ReadOnlySequence<byte>(new byte[BlockEnvelope.MaxAskBytes + 1]));
        Assert.Equal(7, _blocks.Refused);
        Assert.Empty(All(blocks));
        Assert.Empty(All(asks));
    }

    [Fact]
    public void Queues_AreBounded()
    {
        var blocks = _blocks.ListenToBlocks();
        for (var i = 0; i < 600; i++)
        {
            Arrive(_subjects.Blocks(Worker), (byte)(i % 200));
        }

        Assert.Equal(88, _blocks.Dropped);
        Assert.Equal(512, All(blocks).Count);
        var taken = 0;
        while (_blocks.TryAnnounce(Worker, new byte[] { 1 }))
        {
            taken++;
        }

        Assert.Equal(256, taken);
        Assert.Equal(256, All(blocks).Count); // one's own are heard, too
        Assert.False(_blocks.TryAnnounce(Worker, ReadOnlyMemory<byte>.Empty));
        Assert.False(_blocks.TryAsk(Worker, new byte[BlockEnvelope.MaxAskBytes + 1]));
    }

    [Fact]
    public void Connections_SubscribeAnew_AndSendNothingOld()
    {
        _blocks.ListenToBlocks();
        _blocks.BeginConnection();
        Assert.Equal([_subjects.AnyBlocks], Wanted());
        Assert.True(_blocks.TryAsk(new string('b', 40), new byte[] { 1 }));
        _blocks.ListenToAsks(Worker);
        _blocks.ListenToAsks(Worker);
        Assert.Equal([_subjects.BlockAsk(Worker)], Wanted());
        Assert.True(_blocks.TryTake(out var first));
        Assert.Equal(_subjects.BlockAsk(new string('b', 40)), first.Subject);

        Assert.True(_blocks.TryAnnounce(Worker, new byte[] { 2 }));
        _blocks.BeginConnection();
        Assert.False(_blocks.TryTake(out _));
        Assert.Equal([_subjects.AnyBlocks, _subjects.BlockAsk(Worker)], Wanted());
    }

    [Fact]
    public void Asks_OfOnesOwnWorkers_StayInTheProcess()
    {
        var asks = _blocks.ListenToAsks(Worker);
        Assert.True(_blocks.TryAsk(Worker, new byte[] { 9 }));
        Assert.Equal([9], All(asks));
        Assert.False(_blocks.TryTake(out _));
    }

    [Fact]
    public void Envelope_IsTheWorkersOwn_AndOfOneSwarm()
    {
        using var other = PeerKey.Create();
        var message = BlockEnvelope.Seal(_key, "home", [1, 2, 3]);
        Assert.Equal([1, 2, 3], BlockEnvelope.Open("home", Worker, message)!.Value.ToArray());
        Assert.Null(BlockEnvelope.Open("elsewhere", Worker, message));
        Assert.Null(BlockEnvelope.Open("home", other.Id.ToString(), message));
        Assert.Null(BlockEnvelope.Open("home", Worker, new byte[BlockEnvelope.MaxBytes + 1]));
        for (var i = 0; i < message.Length; i++)
        {
            var forged = message.ToArray();
            forged[i] ^= 1;
            Assert.Null(BlockEnvelope.Open("home", Worker, forged));
        }
    }

    private void Arrive(string subject, byte value) => _blocks.Arrived(subject, hasHeaders: false, new ReadOnlySequence<byte>([value]));

    private List<string> Wanted()
    {
        var all = new List<string>();
        while (_blocks.TryTakeWanted(out var subject))
        {
            all.Add(subject);
        }

        return all;
    }

    private static List<byte> All(System.Threading.Channels.ChannelReader<BlockNews> reader)
    {
        var all = new List<byte>();
        while (reader.TryRead(out var news))
        {
            all.Add(news.Message.Span[0]);
        }

        return all;
    }
}
