using Grpc.Core;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Links;

/// <summary>
/// Both ends of a heartbeat stream: ping once a period, answer the other's pings, measure the round trip of one's own.
/// </summary>
internal sealed class HeartbeatExchange(LinkHub hub, Link link, FrameWrite write, IAsyncStreamReader<TensorBuffer> reader) : IDisposable
{
    private const int PendingPings = 16;

    private readonly SemaphoreSlim _writing = new(1, 1); // one write at a time is all that a stream allows
    private readonly long[] _sentAt = new long[PendingPings];
    private long _number;
    private long _sealed;

    /// <summary>Runs until the stream ends, the token is cancelled or something that is no heartbeat comes.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pinging = PingAsync(stop.Token);
        try
        {
            await ReadAsync(stop.Token);
        }
        finally
        {
            await stop.CancelAsync();
            await pinging.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _writing.Dispose();

    private async Task PingAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(hub.Options.HeartbeatPeriod, hub.Time);
        do
        {
            var number = Interlocked.Increment(ref _number);
            Volatile.Write(ref _sentAt[number % PendingPings], hub.Time.GetTimestamp());
            await SendAsync(isAnswer: false, number, cancellationToken);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        while (await reader.MoveNext(cancellationToken))
        {
            var heartbeat = default(HeartbeatFrame);
            using (var frame = reader.Current)
            {
                var refusal = FrameHeader.Read(frame.Span, out var header);
                if (refusal == FrameRefusal.None)
                {
                    refusal = HeartbeatFrame.Read(frame.Span, header, out heartbeat);
                }

                if (refusal != FrameRefusal.None)
                {
                    link.CountRefusal(0, refusal);
                    return;
                }
            }

            if (heartbeat.Incarnation != link.PeerIncarnation)
            {
                return; // another life of the peer: its own Hello will say so
            }

            link.OnHeartbeat(heartbeat);
            if (!heartbeat.IsAnswer)
            {
                await SendAsync(isAnswer: true, heartbeat.Number, cancellationToken);
            }
            else if (heartbeat.Number > _number - PendingPings && heartbeat.Number <= _number && heartbeat.Number > 0)
            {
                link.OnRoundTrip(hub.Time.GetElapsedTime(Volatile.Read(ref _sentAt[heartbeat.Number % PendingPings])));
            }
        }
    }

    private async Task SendAsync(bool isAnswer, long number, CancellationToken cancellationToken)
    {
        using var frame = new HeartbeatFrame(isAnswer, number, hub.Options.Incarnation, hub.Progress()).ToFrame(hub.Pool);
        await _writing.WaitAsync(cancellationToken);
        try
        {
            FrameHeader.Seal(frame.Span, (ulong)++_sealed);
            await write(frame).WaitAsync(cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }
}
