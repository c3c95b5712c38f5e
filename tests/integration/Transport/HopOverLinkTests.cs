using Parallax.Contracts.Identifiers;
using Parallax.Transport.Buffers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.IntegrationTests.Transport;

/// <summary>One session over one real link that is cut and corrupted: the session resumes by position.</summary>
public sealed class HopOverLinkTests
{
    private const int Rows = 3000;
    private const int Width = 1024;
    private static readonly SessionId Session = new(Guid.Parse("11111111-2222-3333-4444-555555555555"));
    private static readonly Epoch Epoch = new(1, Guid.Empty, 0);

    [Theory]
    [InlineData("cut")]
    [InlineData("corrupt")]
    [InlineData("freeze")]
    public async Task Session_LinkFaultsInMidStream_EveryRowIsComputedOnceInOrder(string fault)
    {
        using var sending = new SendingStage(); // outlives the peers, whose handlers use it
        var receiving = new ReceivingStage();
        await using var server = await LinkPeer.StartAsync("b", Configure);
        await using var client = await LinkPeer.StartAsync("a", Configure);
        await using var proxy = new FaultyProxy(server.Address.Port);
        server.ConnectedHandler = receiving.OnConnected;
        server.DisconnectedHandler = (_, _) => receiving.OnDisconnected();
        server.FrameHandler = receiving.OnFrame;
        client.ConnectedHandler = sending.OnConnected;
        client.DisconnectedHandler = (_, _) => sending.OnDisconnected();
        client.FrameHandler = sending.OnFrame;
        client.Hub.Connect("b", proxy.Address);
        for (var faults = 1; faults <= 4; faults++)
        {
            while (receiving.Computed < faults * Rows / 6)
            {
                sending.Pump();
                await Task.Delay(1, TestContext.Current.CancellationToken);
            }

            await DownAfterAsync(fault, proxy, server);
        }

        while (!receiving.Done.IsCompleted)
        {
            sending.Pump();
            await Task.WhenAny(receiving.Done, Task.Delay(5, TestContext.Current.CancellationToken));
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }

        Assert.Null(receiving.Failure);
        Assert.Equal(Rows, receiving.Computed);

        static void Configure(LinkOptions options)
        {
            options.HeartbeatPeriod = TimeSpan.FromMilliseconds(200);
            options.AbuseThreshold = 1000;
        }
    }

    private static async Task DownAfterAsync(string fault, FaultyProxy proxy, LinkPeer server)
    {
        switch (fault)
        {
            case "cut":
                proxy.Cut();
                await server.DownAsync();
                break;
            case "corrupt":
                proxy.Corrupt(1);
                await server.DownAsync();
                break;
            default:
                proxy.Freeze();
                await server.DownAsync();
                proxy.Thaw();
                break;
        }
    }

    private static void Send(Link link, long generation, FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        if (message.Kind == FlowMessageKind.None)
        {
            return;
        }

        using var builder = new FlowFrameBuilder(TensorBufferPool.Shared);
        Assert.True(builder.Append(message, want));
        var frame = builder.Complete()!;
        if (link.TrySend(frame, FramePriority.Control, generation) != SendResult.Queued)
        {
            frame.Dispose();
        }
    }

    private sealed class ReceivingStage
    {
        private readonly Lock _lock = new(); // a handler is called by one link at a time, but by several threads
        private readonly HopReceiver _receiver = new(Session, 1, Epoch);
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile int _computed;

        public ReceivingStage() => _receiver.Resume(Epoch, 0);

        public Task Done => _done.Task;

        public int Computed => _computed;

        public string? Failure { get; private set; }

        public void OnConnected(Link link, long generation)
        {
            lock (_lock)
            {
                Send(link, generation, _receiver.Connected(generation), _receiver.StateWant);
            }
        }

        public void OnDisconnected()
        {
            lock (_lock)
            {
                _receiver.Disconnected();
            }
        }

        public void OnFrame(Link link, long generation, TensorBuffer frame, FrameHeader header)
        {
            lock (_lock)
            {
                var reader = new RowFrameReader(frame.Span, header);
                while (reader.MoveNext())
                {
                    var run = reader.Current;
                    var decision = _receiver.OnRun(generation, run.Head);
                    Send(link, generation, decision.Reply, _receiver.StateWant);
                    for (var i = 0; i < decision.Count; i++)
                    {
                        Compute(decision.First + i, run.TokenIds[decision.First + i - run.Head.First], run.Row(decision.First + i - run.Head.First));
                    }

                    if (decision.Count > 0)
                    {
                        Send(link, generation, _receiver.Computed(decision.Count), default);
                    }
                }
            }

            frame.Dispose();
        }

        private void Compute(int position, int id, ReadOnlySpan<byte> row)
        {
            if (position != _computed || id != position * 3 || row.ContainsAnyExcept((byte)position))
            {
                Failure ??= $"row {position} with id {id} computed when {_computed} was next";
            }

            if (++_computed == Rows)
            {
                _done.TrySetResult();
            }
        }
    }

    private sealed class SendingStage : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly HopSender _sender = new(Epoch, window: 64);
        private readonly RowJournal _journal = new(TensorBufferPool.Shared, new JournalBudget(64 << 20), Width * 2);
        private readonly PositionRange[] _want = new PositionRange[FrameLimits.MaxWantIntervals];
        private Link? _link;

        public SendingStage()
        {
            _sender.Resume(Epoch, 0, 0, 1);
            var row = new byte[Width * 2];
            for (var position = 0; position < Rows; position++)
            {
                row.AsSpan().Fill((byte)position);
                Assert.True(_journal.TryPut(_sender, position, position * 3, row));
            }
        }

        public void Dispose() => _journal.Dispose();

        public void OnConnected(Link link, long generation)
        {
            lock (_lock)
            {
                _link = link;
                _sender.Connected(generation);
            }
        }

        public void OnDisconnected()
        {
            lock (_lock)
            {
                _sender.Disconnected();
            }
        }

        public void OnFrame(Link link, long generation, TensorBuffer frame, FrameHeader header)
        {
            lock (_lock)
            {
                var reader = new FlowFrameReader(frame.Span, header, _want);
                while (reader.MoveNext())
                {
                    _sender.OnMessage(generation, reader.Current, reader.Want);
                }
            }

            frame.Dispose();
            Pump();
        }

        public void Pump()
        {
            lock (_lock)
            {
                using var builder = new RowFrameBuilder(TensorBufferPool.Shared);
                while (_sender.TryNext(16, out var run))
                {
                    var rows = _journal.Read(_sender, run.First, run.Count);
                    var taken = builder.Append(
                        new RowRun(Session, run.Epoch, run.Incarnation, run.Kind, run.First, rows.Count, TensorType.Bf16, Width),
                        rows.TokenIds, run.SampleFrom, rows.Payload);
                    var frame = builder.Complete()!;
                    if (_link!.TrySend(frame, FramePriority.Prefill, run.Generation) != SendResult.Queued)
                    {
                        frame.Dispose();
                        return;
                    }

                    _sender.Sent(run with { Count = taken });
                }
            }
        }
    }
}
