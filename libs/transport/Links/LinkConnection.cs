using Grpc.Core;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Links;

/// <summary>Writes one frame to a stream; the frame stays the caller's.</summary>
internal delegate Task FrameWrite(TensorBuffer frame);

/// <summary>
/// One gRPC stream of a link, from Hello to its end: a writer loop that empties the send queue and a reader loop that
/// checks what arrives. The same on the dialling and the accepting side.
/// </summary>
internal sealed class LinkConnection : IDisposable
{
    private readonly LinkHub _hub;
    private readonly FrameWrite _write;
    private readonly IAsyncStreamReader<TensorBuffer> _reader;
    private readonly Action _abort;
    private readonly Func<Task> _finish;
    private readonly CancellationTokenRegistration _outer;
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopSignal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ReceiveLedger _ledger;
    private int _reason = -1;
    private int _stopped;
    private ulong _sentNumber;
    private ulong _receivedNumber;

    /// <param name="hub">Options, pool, handler.</param>
    /// <param name="dialled">Whether this side dialled.</param>
    /// <param name="write">Writes to the stream.</param>
    /// <param name="reader">Reads from it.</param>
    /// <param name="abort">Ends the stream at once: pending reads and writes fail. A token per read and write would cost
    /// a registration per frame.</param>
    /// <param name="finish">Ends this direction of the stream in good order, after the Goodbye.</param>
    /// <param name="cancellationToken">Ends the connection.</param>
    public LinkConnection(
        LinkHub hub,
        bool dialled,
        FrameWrite write,
        IAsyncStreamReader<TensorBuffer> reader,
        Action abort,
        Func<Task> finish,
        CancellationToken cancellationToken)
    {
        (_hub, _write, _reader, _abort, _finish, Dialled) = (hub, write, reader, abort, finish, dialled);
        _ledger = new ReceiveLedger(hub.Options.ReceiveBytes);
        Queue = new SendQueue(hub.Options);
        _outer = cancellationToken.Register(static self => ((LinkConnection)self!).Stop(LinkDownReason.Closed), this);
    }

    public bool Dialled { get; }

    public long Generation { get; private set; }

    public SendQueue Queue { get; }

    public HelloFrame? Peer { get; private set; }

    /// <summary>Completes when the connection is over and Disconnected has been said.</summary>
    public Task Completed => _completed.Task;

    public LinkDownReason Reason => _reason < 0 ? LinkDownReason.Broken : (LinkDownReason)_reason;

    public long ReceivedHeld => _ledger.Held;

    /// <summary>Exchanges Hello. Null, with the refusal, when what came is none of a compatible peer.</summary>
    public async Task<(HelloFrame? Peer, FrameRefusal Refusal)> ShakeHandsAsync(CancellationToken cancellationToken)
    {
        using (var hello = HelloFrame.Create(_hub.Options.PeerId, _hub.Options.Incarnation).ToFrame(_hub.Pool))
        {
            FrameHeader.Seal(hello.Span, ++_sentNumber);
            await _write(hello).WaitAsync(cancellationToken);
        }

        if (!await _reader.MoveNext(cancellationToken))
        {
            return (null, FrameRefusal.TooShort);
        }

        using var answer = _reader.Current;
        var refusal = FrameHeader.Read(answer.Span, out var header);
        if (refusal != FrameRefusal.None)
        {
            return (null, refusal);
        }

        refusal = HelloFrame.Read(answer.Span, header, out var peer);
        if (refusal == FrameRefusal.None && !peer!.IsCompatible)
        {
            refusal = FrameRefusal.UnsupportedVersion;
        }

        _receivedNumber = header.Number;
        Peer = refusal == FrameRefusal.None ? peer : null;
        return (Peer, refusal);
    }

    /// <summary>Gives the attached connection its number.</summary>
    public void Attach(long generation) => Generation = generation;

    /// <summary>Runs both loops until one ends; what is queued then is dropped, unless the connection was drained.</summary>
    public async Task RunAsync(Link link)
    {
        var writing = WriteLoopAsync(link);
        var reading = ReadLoopAsync(link);
        try
        {
            await await Task.WhenAny(writing, reading);
            if (Queue.IsClosed)
            {
                // A drain, ours or the peer's: the other direction gets its time, too.
                await Task.WhenAll(writing, reading).WaitAsync(_hub.Options.DrainTimeout, _hub.Time);
                // Both directions ended in good order: an abort now could discard what the peer has not read yet.
                Interlocked.Exchange(ref _stopped, 1);
            }
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException or IOException
            or InvalidOperationException or TimeoutException)
        {
            // Whatever the stack calls it, the stream is over: Reason tells why if this side knows.
            Stop(LinkDownReason.Broken);
        }
        finally
        {
            Stop(LinkDownReason.Broken);
            Queue.Clear();
            await ObserveAsync(writing);
            await ObserveAsync(reading);
            Queue.Clear();
        }
    }

    /// <summary>Ends the connection; the first reason given stands.</summary>
    public void Stop(LinkDownReason reason)
    {
        Interlocked.CompareExchange(ref _reason, (int)reason, -1);
        if (Interlocked.Exchange(ref _stopped, 1) == 0)
        {
            _stopSignal.TrySetResult();
            _abort();
        }
    }

    /// <summary>Takes no more frames, lets the writer send what is queued and say goodbye.</summary>
    public void Drain(LinkDownReason reason)
    {
        Interlocked.CompareExchange(ref _reason, (int)reason, -1);
        Queue.Close();
    }

    public void Complete() => _completed.TrySetResult();

    public void Dispose()
    {
        Queue.Clear();
        if (Dialled)
        {
            _abort(); // frees the call; the accepting side's ends with its method
        }

        _outer.Dispose();
    }

    private static async Task ObserveAsync(Task loop)
    {
        try
        {
            await loop;
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException or IOException or InvalidOperationException)
        {
            // The loop that ended second fails because the first did.
        }
    }

    private async Task WriteLoopAsync(Link link)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (true)
        {
            while (Queue.TryDequeue(out var frame))
            {
                var bytes = frame.Length;
                try
                {
                    FrameHeader.Seal(frame.Span, ++_sentNumber);
                    await _write(frame);
                }
                finally
                {
                    frame.Dispose();
                }

                _hub.Metrics.Sent(link.Tag, bytes);
            }

            if (Queue.IsClosed)
            {
                break;
            }

            await Queue.WaitForFrameAsync();
        }

        if (Volatile.Read(ref _stopped) != 0)
        {
            return;
        }

        using var goodbye = GoodbyeFrame.Create(_hub.Pool);
        FrameHeader.Seal(goodbye.Span, ++_sentNumber);
        await _write(goodbye);
        await _finish();
    }

    private async Task ReadLoopAsync(Link link)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var left = false;
        while (await _reader.MoveNext(CancellationToken.None))
        {
            var frame = _reader.Current;
            link.OnActivity();
            _hub.Metrics.Received(link.Tag, frame.Length);
            var refusal = Check(frame.Span, out var header);
            if (refusal != FrameRefusal.None)
            {
                frame.Dispose();
                link.CountRefusal(Generation, refusal);
                continue;
            }

            if (header.Type == FrameType.Goodbye)
            {
                // Reads on to the end of the stream: only then have both sides had everything.
                frame.Dispose();
                left = true;
                Drain(LinkDownReason.PeerLeft);
                continue;
            }

            frame.Charge(_ledger);
            _hub.Handler.OnFrame(link, Generation, frame, header);
            while (Volatile.Read(ref _stopped) == 0)
            {
                var room = _ledger.WaitForRoomAsync();
                if (room.IsCompletedSuccessfully)
                {
                    break;
                }

                await Task.WhenAny(room, _stopSignal.Task);
            }
        }

        if (!left)
        {
            Stop(LinkDownReason.Broken);
        }
    }

    private FrameRefusal Check(ReadOnlySpan<byte> frame, out FrameHeader header)
    {
        var refusal = FrameHeader.Read(frame, out header);
        if (refusal != FrameRefusal.None)
        {
            return refusal;
        }

        if (header.Number != 0)
        {
            if (header.Number <= _receivedNumber)
            {
                return FrameRefusal.Replayed;
            }

            if (header.Number != _receivedNumber + 1)
            {
                return FrameRefusal.NumberSkipped;
            }

            _receivedNumber = header.Number;
        }

        return header.Type is FrameType.Rows or FrameType.Flow or FrameType.Goodbye
            ? FrameRefusal.None
            : FrameRefusal.UnexpectedType;
    }
}
