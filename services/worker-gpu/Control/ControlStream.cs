using System.Threading.Channels;
using Grpc.Core;
using Parallax.Contracts.V1;

namespace Parallax.Worker.Gpu.Control;

/// <summary>
/// The sending half of one router's control stream. Sessions with something to send stand in its queue, each once;
/// the writer takes what they have at that moment, so that a slow router gets fewer, larger batches instead of a
/// longer queue.
/// </summary>
internal sealed class ControlStream : IDisposable
{
    /// <summary>Replies, and answers to Open, that wait to be sent at most; then the reader pauses.</summary>
    private const int MaxWaiting = 256;

    /// <summary>Messages written before a flush, which waits for the receiver, at most.</summary>
    private const int MaxBuffered = 64;

    // Unbounded in type only: each session stands in it at most once, replies are bounded by _replyRoom.
    private readonly Channel<Item> _queue = Channel.CreateUnbounded<Item>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _replyRoom = new(MaxWaiting);
    private readonly SemaphoreSlim _openRoom = new(MaxWaiting);

    /// <summary>Puts a session into the queue. Never waits; after <see cref="Complete"/> without effect.</summary>
    public void Enqueue(WorkerSession session) => _queue.Writer.TryWrite(new Item(session, null));

    /// <summary>Queues a message that no session keeps, waiting for room.</summary>
    public async ValueTask ReplyAsync(WorkerMessage message, CancellationToken cancellationToken)
    {
        await _replyRoom.WaitAsync(cancellationToken);
        _queue.Writer.TryWrite(new Item(null, message));
    }

    /// <summary>Waits until one more Open may be in progress; its room is given back when its answer is sent.</summary>
    public Task WaitForOpenRoomAsync(CancellationToken cancellationToken) => _openRoom.WaitAsync(cancellationToken);

    /// <summary>Gives back the room of an Open that will not be answered on this stream.</summary>
    public void ReleaseOpenRoom() => _openRoom.Release();

    /// <summary>Nothing more is queued; the writer sends what is there and ends.</summary>
    public void Complete()
    {
        IsComplete = true;
        _queue.Writer.TryComplete();
    }

    /// <summary>Whether it has ended: a message that was read from it late must not make it a session's owner any more.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>To be called when neither reader nor writer runs any more; sessions may still call <see cref="Enqueue"/>.</summary>
    public void Dispose()
    {
        _replyRoom.Dispose();
        _openRoom.Dispose();
    }

    /// <summary>
    /// Sends until <see cref="Complete"/>. Messages are flushed together when the queue is empty (or many are
    /// buffered): one flush per step of the engine, not one per token.
    /// </summary>
    public async Task WriteAsync(
        IServerStreamWriter<WorkerMessage> stream, Func<CancellationToken, ValueTask> flush, CancellationToken cancellationToken)
    {
        stream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        var buffered = 0;
        while (await _queue.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_queue.Reader.TryRead(out var item))
            {
                if (item.Message is { } reply)
                {
                    _replyRoom.Release();
                    await stream.WriteAsync(reply, cancellationToken);
                    buffered++;
                }
                else
                {
                    buffered += await WriteAsync(stream, item.Session!, cancellationToken);
                }

                if (buffered >= MaxBuffered)
                {
                    await flush(cancellationToken);
                    buffered = 0;
                }
            }

            if (buffered > 0)
            {
                await flush(cancellationToken);
                buffered = 0;
            }
        }
    }

    private async ValueTask<int> WriteAsync(
        IServerStreamWriter<WorkerMessage> stream, WorkerSession session, CancellationToken cancellationToken)
    {
        var written = 0;
        while (session.TakeNext(this, out var answered) is { } message)
        {
            if (answered)
            {
                _openRoom.Release();
            }

            await stream.WriteAsync(message, cancellationToken);
            written++;
        }

        return written;
    }

    private readonly record struct Item(WorkerSession? Session, WorkerMessage? Message);
}
