using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;
using Parallax.Transport.Liveness;

namespace Parallax.IntegrationTests.Transport;

public sealed class LinkTests
{
    private static readonly SessionId Session = new(Guid.Parse("11111111-2222-3333-4444-555555555555"));
    private static readonly RowRun Row = new(Session, new Epoch(1, Guid.Empty, 0), 1, RowKind.Forward, 0, 1, TensorType.Bf16, 16);

    [Fact]
    public async Task Link_HundredThousandSmallFramesEachWay_ComeInOrderWithBoundedMemory()
    {
        const int frames = 100_000;
        await using var server = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a");
        var (atServer, atClient) = (new Counter(frames), new Counter(frames));
        server.FrameHandler = atServer.OnFrame;
        client.FrameHandler = atClient.OnFrame;
        client.Hub.Connect("b", server.Address);
        var (near, far) = (await client.UpAsync(), await server.UpAsync());
        var gen1 = GC.CollectionCount(1);
        var idle = TensorBufferPool.Shared.OutstandingBytes;

        await Task.WhenAll(SendAsync(near, frames), SendAsync(far, frames), atServer.Done, atClient.Done)
            .WaitAsync(TimeSpan.FromMinutes(3), TestContext.Current.CancellationToken);

        Assert.Null(atServer.Failure);
        Assert.Null(atClient.Failure);
        // The queues' own bounds and what a window holds; both ends are in this process.
        Assert.InRange(Math.Max(atServer.PeakBytes, atClient.PeakBytes) - idle, 0, 64 << 20);
        TestContext.Current.TestOutputHelper?.WriteLine($"gen-1 collections: {GC.CollectionCount(1) - gen1}");
    }

    [Fact]
    public async Task TrySend_PrefillFillsEverything_ControlAndDecodeAreNextOnTheWire()
    {
        var order = new BlockingCollection<int>();
        using var open = new ManualResetEventSlim();
        var held = new ConcurrentQueue<TensorBuffer>();
        await using var server = await LinkPeer.StartAsync("b", options => options.ReceiveBytes = FrameLimits.MaxFrameBytes);
        await using var client = await LinkPeer.StartAsync("a");
        server.FrameHandler = (_, _, frame, header) =>
        {
            order.Add(First(frame, header));
            if (open.IsSet)
            {
                frame.Dispose();
            }
            else
            {
                held.Enqueue(frame); // the reader stops, HTTP/2 pushes back, the sender's queue fills
            }
        };
        client.Hub.Connect("b", server.Address);
        var up = await client.UpAsync();
        var queued = 0;
        while (queued < 4096)
        {
            var frame = Frame(queued, width: 65536 / 2);
            if (up.Link.TrySend(frame, FramePriority.Prefill, up.Generation) == SendResult.Queued)
            {
                queued++;
                continue;
            }

            frame.Dispose();
            // Full: is it for good, or only until the stack has taken more?
            var depth = up.Link.QueueDepth(FramePriority.Prefill).Frames;
            await Task.Delay(200, TestContext.Current.CancellationToken);
            if (up.Link.QueueDepth(FramePriority.Prefill).Frames == depth)
            {
                break;
            }
        }

        var waiting = up.Link.QueueDepth(FramePriority.Prefill).Frames;
        Assert.True(waiting > 8, $"{waiting} prefill frames wait");
        Assert.Equal(SendResult.Queued, up.Link.TrySend(Frame(100_001), FramePriority.Decode, up.Generation));
        Assert.Equal(SendResult.Queued, up.Link.TrySend(Frame(100_000), FramePriority.Control, up.Generation));
        open.Set();
        while (held.TryDequeue(out var frame))
        {
            frame.Dispose();
        }

        var received = Enumerable.Range(0, queued + 2).Select(_ => order.Take(TestContext.Current.CancellationToken)).ToList();

        // Handed to the stack before, and at most one that the writer held: the rest is overtaken.
        var ahead = queued - waiting;
        Assert.InRange(received.IndexOf(100_000), 0, ahead);
        Assert.InRange(received.IndexOf(100_001), 0, ahead + 1);
        Assert.Equal(Enumerable.Range(0, queued), received.Where(first => first < 100_000));
    }

    [Fact]
    public async Task TrySend_OtherGeneration_IsNotConnectedAndTheFrameStaysTheCallers()
    {
        await using var server = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a");
        await using var proxy = new FaultyProxy(server.Address.Port);
        client.Hub.Connect("b", proxy.Address);
        var first = await client.UpAsync();
        proxy.Cut();
        var down = await client.DownAsync();
        var second = await client.UpAsync();

        using var frame = Frame(0);
        Assert.Equal((first.Generation, LinkDownReason.Broken), (down.Generation, down.Reason));
        Assert.True(second.Generation > first.Generation);
        Assert.Same(first.Link, second.Link);
        Assert.Equal(SendResult.NotConnected, first.Link.TrySend(frame, FramePriority.Decode, first.Generation));
        Assert.False(await first.Link.WaitToSendAsync(FramePriority.Decode, first.Generation, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task DrainAsync_QueuedFrames_AllArriveBeforeTheGoodbye()
    {
        await using var server = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a");
        var counter = new Counter(2000);
        server.FrameHandler = counter.OnFrame;
        client.Hub.Connect("b", server.Address);
        var up = await client.UpAsync();
        await SendAsync(up, 2000);

        await client.Hub.DisposeAsync();

        Assert.Equal(LinkDownReason.PeerLeft, (await server.DownAsync()).Reason);
        Assert.True(counter.Done.IsCompletedSuccessfully, counter.Failure);
    }

    [Fact]
    public async Task DrainAsync_ByTheAcceptingSide_BothDirectionsArriveInFull()
    {
        await using var server = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a");
        var (atServer, atClient) = (new Counter(1500), new Counter(1500));
        (server.FrameHandler, client.FrameHandler) = (atServer.OnFrame, atClient.OnFrame);
        client.Hub.Connect("b", server.Address);
        var (near, far) = (await client.UpAsync(), await server.UpAsync());
        await Task.WhenAll(SendAsync(near, 1500), SendAsync(far, 1500));

        await server.Hub.DisposeAsync();

        Assert.Equal(LinkDownReason.PeerLeft, (await client.DownAsync()).Reason);
        Assert.Equal(LinkDownReason.Closed, (await server.DownAsync()).Reason);
        Assert.True(atServer.Done.IsCompletedSuccessfully, atServer.Failure);
        Assert.True(atClient.Done.IsCompletedSuccessfully, atClient.Failure);
    }

    [Fact]
    public async Task OnFrame_HandlerThrows_ConnectionEndsAndTheLinkComesBack()
    {
        await using var server = await LinkPeer.StartAsync("b");
        await using var client = await LinkPeer.StartAsync("a");
        client.FrameHandler = (_, _, frame, _) =>
        {
            frame.Dispose();
            throw new InvalidCastException("a bug above the link");
        };
        client.Hub.Connect("b", server.Address);
        var far = await server.UpAsync();
        var first = await client.UpAsync();

        await SendAsync(far, 1);

        Assert.Equal(first.Generation, (await client.DownAsync()).Generation);
        Assert.True((await client.UpAsync()).Generation > first.Generation);
    }

    [Fact]
    public async Task Heartbeats_LiveThenFrozenPeer_MeasureRoundTripThenEndTheConnection()
    {
        await using var server = await LinkPeer.StartAsync("b", Fast);
        await using var client = await LinkPeer.StartAsync("a", Fast);
        await using var proxy = new FaultyProxy(server.Address.Port);
        client.Hub.Connect("b", proxy.Address);
        var (near, far) = (await client.UpAsync(), await server.UpAsync());
        while (near.Link.RoundTrip.Samples < 3 || far.Link.RoundTrip.Samples < 3)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        Assert.Equal(42, near.Link.PeerProgress);
        Assert.True(near.Link.RoundTrip.Median > TimeSpan.Zero);
        proxy.Freeze();

        LinkDownReason reason;
        do
        {
            reason = (await client.DownAsync()).Reason; // on a loaded machine a pause may have ended one before
        }
        while (reason != LinkDownReason.Dead);

        Assert.Contains(PeerLiveness.Suspect, client.Liveness);
        proxy.Thaw();

        static void Fast(LinkOptions options) => options.HeartbeatPeriod = TimeSpan.FromMilliseconds(400); // so that a late timer sees the suspicion, too
    }

    [Fact]
    public async Task Connect_BothDial_OneConnectionStays()
    {
        await using var b = await LinkPeer.StartAsync("b");
        await using var a = await LinkPeer.StartAsync("a");
        var fromA = a.Hub.Connect("b", b.Address);
        var fromB = b.Hub.Connect("a", a.Address);
        // Wait until both have the one that the lower id dialled, then see that it works both ways.
        var (atA, atB) = (new Counter(1), new Counter(1));
        (a.FrameHandler, b.FrameHandler) = (atA.OnFrame, atB.OnFrame);
        while (fromA.Current is not { Dialled: true } || fromB.Current is not { Dialled: false })
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        await SendAsync(new LinkUp(fromA, fromA.Generation), 1);
        await SendAsync(new LinkUp(fromB, fromB.Generation), 1);
        await Task.WhenAll(atA.Done, atB.Done).WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Serve_HostileFrames_AreCountedAndThePeerIsRefusedAfterTheThreshold()
    {
        await using var server = await LinkPeer.StartAsync("b", static options =>
        {
            options.AbuseThreshold = 5;
            Patient(options);
        });
        server.FrameHandler = (link, generation, frame, header) =>
        {
            var reader = new RowFrameReader(frame.Span, header);
            while (reader.MoveNext())
            {
                link.CountRefusal(generation, reader.Refusal);
            }

            frame.Dispose();
        };
        using var channel = GrpcChannel.ForAddress(server.Address);
        var protocol = new LinkProtocol(TensorBufferPool.Shared);
        using var call = await GreetAsync(channel, protocol);
        var up = await server.UpAsync();
        using var bad = Frame(0);
        bad.Span[66] = 99; // an unknown kind
        using var replay = Frame(0);
        FrameHeader.Seal(replay.Span, 1); // the number of the Hello
        await call.RequestStream.WriteAsync(replay, TestContext.Current.CancellationToken);
        for (ulong number = 2; number < 7; number++)
        {
            FrameHeader.Seal(bad.Span, number);
            await call.RequestStream.WriteAsync(bad, TestContext.Current.CancellationToken);
        }

        Assert.Equal(LinkDownReason.Abuse, (await server.DownAsync()).Reason);
        Assert.Equal((5, 1), (up.Link.Refusals(FrameRefusal.UnknownKind), up.Link.Refusals(FrameRefusal.Replayed)));
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            using var again = await GreetAsync(channel, protocol);
            await again.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
        });
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    [Theory]
    [InlineData(FrameRefusal.ChecksumMismatch)]
    [InlineData(FrameRefusal.NumberSkipped)]
    [InlineData(FrameRefusal.UnsupportedVersion)]
    public async Task Serve_LostOrBrokenFrame_EndsTheConnection(FrameRefusal kind)
    {
        await using var server = await LinkPeer.StartAsync("b", Patient);
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = await GreetAsync(channel, new LinkProtocol(TensorBufferPool.Shared));
        var up = await server.UpAsync();
        using var frame = Frame(0);
        FrameHeader.Seal(frame.Span, kind == FrameRefusal.NumberSkipped ? 3ul : 2ul);
        frame.Span[kind == FrameRefusal.UnsupportedVersion ? 4 : 100] ^= kind == FrameRefusal.NumberSkipped ? (byte)0 : (byte)7;

        await call.RequestStream.WriteAsync(frame, TestContext.Current.CancellationToken);

        Assert.Equal(LinkDownReason.BadFrame, (await server.DownAsync()).Reason);
        Assert.Equal(1, up.Link.Refusals(kind));
    }

    [Fact]
    public async Task Serve_OtherMajorVersion_IsRefusedWithTheReason()
    {
        await using var server = await LinkPeer.StartAsync("b");
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            new LinkProtocol(TensorBufferPool.Shared).Frames, null, new CallOptions());
        using var hello = (HelloFrame.Create("x", 1) with { LowestMajor = 2, HighestMajor = 2 }).ToFrame(TensorBufferPool.Shared);
        FrameHeader.Seal(hello.Span, 1);
        await call.RequestStream.WriteAsync(hello, TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
                call.ResponseStream.Current.Dispose();
            }
        });

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Contains("UnsupportedVersion", error.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>Whoever sends no heartbeats is not dead as soon as the test stands still for a second.</summary>
    private static void Patient(LinkOptions options) => options.HeartbeatPeriod = TimeSpan.FromSeconds(5);

    private static async Task<AsyncDuplexStreamingCall<TensorBuffer, TensorBuffer>> GreetAsync(GrpcChannel channel, LinkProtocol protocol)
    {
        var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(protocol.Frames, null, new CallOptions());
        using var hello = HelloFrame.Create("x", 1).ToFrame(TensorBufferPool.Shared);
        FrameHeader.Seal(hello.Span, 1);
        await call.RequestStream.WriteAsync(hello, TestContext.Current.CancellationToken);
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        call.ResponseStream.Current.Dispose();
        return call;
    }

    private static async Task SendAsync(LinkUp up, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var frame = Frame(i);
            SendResult result;
            while ((result = up.Link.TrySend(frame, FramePriority.Decode, up.Generation)) == SendResult.Full)
            {
                await up.Link.WaitToSendAsync(FramePriority.Decode, up.Generation, TestContext.Current.CancellationToken);
            }

            Assert.Equal(SendResult.Queued, result);
        }
    }

    private static TensorBuffer Frame(int first, int width = 16)
    {
        using var builder = new RowFrameBuilder(TensorBufferPool.Shared);
        Assert.Equal(1, builder.Append(Row with { First = first, Width = width }, out var space));
        space.Payload.Fill((byte)first);
        return builder.Complete()!;
    }

    private static int First(TensorBuffer frame, FrameHeader header)
    {
        var reader = new RowFrameReader(frame.Span, header);
        return reader.MoveNext() && reader.Refusal == FrameRefusal.None ? reader.Current.Head.First : -1;
    }

    /// <summary>Expects frames 0, 1, 2, … and tells when the last has come.</summary>
    private sealed class Counter(int expected)
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _next;

        public Task Done => _done.Task;

        public string? Failure { get; private set; }

        public long PeakBytes { get; private set; }

        public void OnFrame(Link link, long generation, TensorBuffer frame, FrameHeader header)
        {
            PeakBytes = Math.Max(PeakBytes, TensorBufferPool.Shared.OutstandingBytes);
            var first = First(frame, header);
            frame.Dispose();
            Failure ??= first == _next ? null : $"frame {first} came when {_next} was next";
            if (++_next == expected)
            {
                _done.TrySetResult();
            }
        }
    }
}
