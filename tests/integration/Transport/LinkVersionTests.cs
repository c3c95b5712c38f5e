using System.Threading.Channels;
using Parallax.Contracts.Identifiers;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.IntegrationTests.Transport;

/// <summary>A link whose other end speaks an older or a newer minor version of the frame format.</summary>
public sealed class LinkVersionTests
{
    private static readonly SessionId Session = new(Guid.Parse("11111111-2222-3333-4444-555555555555"));
    private static readonly RowRun Run = new(Session, new Epoch(1, Guid.Empty, 0), 1, RowKind.Forward, 6, 2, TensorType.Bf16, 3);
    private static readonly FlowMessage State = new(FlowMessageKind.State, Session, new Epoch(1, Guid.Empty, 0), RawStream.Incarnation, 40);
    private static readonly byte[] Payload = [.. Enumerable.Range(1, 12).Select(i => (byte)i)];
    private static readonly string[] ReadRows = [.. Enumerable.Repeat($"{Run} ids 100,101 samples False,True payload {Convert.ToHexString(Payload)}", 2)];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Serve_OtherMinor_EveryTypeOfFrameIsReadBothWays(bool newer)
    {
        await using var server = await LinkPeer.StartAsync("b", NoHeartbeats);
        var received = Collect(server);
        using var peer = await RawStream.GreetAsync(server.Address, Dialect(newer));
        var up = await server.UpAsync();
        Assert.Equal((RawStream.PeerId, RawStream.Incarnation), (up.Link.PeerId, up.Link.PeerIncarnation));

        await peer.SendAsync(Rows());
        await peer.SendAsync(Flow());

        Assert.Equal(ReadRows, await TakeAsync(received, 2));
        Assert.Equal($"{State} want [0,3) [5,9)", Assert.Single(await TakeAsync(received, 1)));
        using (var sent = Rows())
        {
            Assert.Equal(SendResult.Queued, up.Link.TrySend(sent.Share(), FramePriority.Decode, up.Generation));
            Assert.True(FrameDialect.Body(await peer.ReceiveAsync()).SequenceEqual(FrameDialect.Body(sent.Span)));
        }

        await peer.SendAsync(GoodbyeFrame.Create(TensorBufferPool.Shared));
        Assert.Equal((byte)FrameType.Goodbye, (await peer.ReceiveAsync())[6]);
        Assert.All(Enum.GetValues<FrameRefusal>(), reason => Assert.Equal(0, up.Link.Refusals(reason)));
    }

    [Fact]
    public async Task Serve_UnknownFrameTypeOfANewerMinor_IsCountedAndTheConnectionGoesOn()
    {
        await using var server = await LinkPeer.StartAsync("b", NoHeartbeats);
        var received = Collect(server);
        using var peer = await RawStream.GreetAsync(server.Address, FrameDialect.Newer);
        var up = await server.UpAsync();
        var unknown = GoodbyeFrame.Create(TensorBufferPool.Shared);
        unknown.Span[6] = 77;

        await peer.SendAsync(unknown);
        await peer.SendAsync(Rows());

        Assert.Equal(ReadRows, await TakeAsync(received, 2));
        Assert.Equal((1, up.Generation), (up.Link.Refusals(FrameRefusal.UnexpectedType), up.Link.Generation));
    }

    [Fact]
    public async Task Serve_FrameWithoutNumberTwice_BothGoUpForThePositionsToSort()
    {
        await using var server = await LinkPeer.StartAsync("b", NoHeartbeats);
        var received = Collect(server);
        using var peer = await RawStream.GreetAsync(server.Address, FrameDialect.Older);
        var up = await server.UpAsync();
        using var frame = Rows();
        var bytes = FrameDialect.Older.Write(frame);

        await peer.SendBytesAsync(bytes);
        await peer.SendBytesAsync(bytes);

        Assert.Equal(ReadRows.Concat(ReadRows), await TakeAsync(received, 4));
        Assert.Equal(up.Generation, up.Link.Generation);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Heartbeats_OtherMinor_AreAnsweredAndMeasured(bool newer)
    {
        await using var server = await LinkPeer.StartAsync("b", options => options.HeartbeatPeriod = TimeSpan.FromSeconds(2));
        using var peer = await RawStream.GreetAsync(server.Address, Dialect(newer));
        var up = await server.UpAsync();
        using var beats = await RawStream.GreetAsync(server.Address, Dialect(newer), heartbeats: true);
        await beats.SendAsync(new HeartbeatFrame(false, 1234, RawStream.Incarnation, 77).ToFrame(TensorBufferPool.Shared));

        HeartbeatFrame? answer = null;
        while (answer is null || up.Link.RoundTrip.Samples == 0)
        {
            var beat = Read(await beats.ReceiveAsync());
            if (beat.IsAnswer)
            {
                answer = beat;
            }
            else
            {
                await beats.SendAsync(new HeartbeatFrame(true, beat.Number, RawStream.Incarnation, 78).ToFrame(TensorBufferPool.Shared));
            }
        }

        Assert.Equal(new HeartbeatFrame(true, 1234, Incarnation: 1, Progress: 42), answer);
        Assert.Equal(78, up.Link.PeerProgress);

        static HeartbeatFrame Read(byte[] frame)
        {
            Assert.Equal(FrameRefusal.None, FrameHeader.Read(frame, out var header));
            Assert.Equal(FrameRefusal.None, HeartbeatFrame.Read(frame, header, out var heartbeat));
            return heartbeat;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_DialledPeerOfOtherMinor_RowsGoThereAndBack(bool newer)
    {
        await using var server = await RawServer.StartAsync("b", Dialect(newer));
        await using var client = await LinkPeer.StartAsync("a", NoHeartbeats);
        var received = Collect(client);
        client.Hub.Connect("b", server.Address);
        var up = await client.UpAsync();
        Assert.Equal((byte)FrameType.Hello, (await server.Received.Reader.ReadAsync(TestContext.Current.CancellationToken))[6]);
        using var sent = Rows();

        Assert.Equal(SendResult.Queued, up.Link.TrySend(sent.Share(), FramePriority.Decode, up.Generation));

        var arrived = await server.Received.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.True(FrameDialect.Body(arrived).SequenceEqual(FrameDialect.Body(sent.Span)));
        Assert.Equal(ReadRows, await TakeAsync(received, 2));
        Assert.Equal(up.Generation, up.Link.Generation);
    }

    // A peer that has no heartbeat stream would be judged dead.
    private static void NoHeartbeats(LinkOptions options) => options.HeartbeatPeriod = TimeSpan.Zero;

    private static FrameDialect Dialect(bool newer) => newer ? FrameDialect.Newer : FrameDialect.Older;

    // Two runs of two rows; the second row of each is sampled.
    private static TensorBuffer Rows()
    {
        using var builder = new RowFrameBuilder(TensorBufferPool.Shared);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(2, builder.Append(Run, [100, 101], sampleFrom: 7, Payload));
        }

        return builder.Complete()!;
    }

    private static TensorBuffer Flow()
    {
        using var builder = new FlowFrameBuilder(TensorBufferPool.Shared);
        Assert.True(builder.Append(State, [new PositionRange(0, 3), new PositionRange(5, 9)]));
        return builder.Complete()!;
    }

    /// <summary>What the handler of a peer reads out of the frames that it is given, as text.</summary>
    private static Channel<string> Collect(LinkPeer peer)
    {
        var channel = Channel.CreateUnbounded<string>();
        peer.FrameHandler = (_, _, frame, header) =>
        {
            using (frame)
            {
                if (header.Type == FrameType.Rows)
                {
                    var rows = new RowFrameReader(frame.Span, header);
                    while (rows.MoveNext())
                    {
                        channel.Writer.TryWrite(rows.Refusal == FrameRefusal.None ? Describe(rows.Current) : $"refused: {rows.Refusal}");
                    }

                    return;
                }

                var flow = new FlowFrameReader(frame.Span, header, new PositionRange[FrameLimits.MaxWantIntervals]);
                while (flow.MoveNext())
                {
                    channel.Writer.TryWrite(flow.Refusal == FrameRefusal.None
                        ? $"{flow.Current} want {string.Join(' ', flow.Want.ToArray())}"
                        : $"refused: {flow.Refusal}");
                }
            }
        };
        return channel;

        static string Describe(RowRunView run) =>
            $"{run.Head} ids {string.Join(',', run.TokenIds.ToArray())} samples {run.Samples(0)},{run.Samples(1)} payload {Convert.ToHexString(run.Payload)}";
    }

    private static async Task<string[]> TakeAsync(Channel<string> channel, int count)
    {
        var items = new string[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = await channel.Reader.ReadAsync(TestContext.Current.CancellationToken);
        }

        return items;
    }
}
