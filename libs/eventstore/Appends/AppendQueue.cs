using System.Collections.Immutable;
using System.Threading.Channels;

namespace Parallax.EventStore.Appends;

/// <summary>
/// Group commit: while one transaction is written, calls wait here, and the next transaction takes as many of them as it may hold,
/// in the order in which they came. What a transaction costs (the disk's flush, the turns of the network) is shared, and a call that comes
/// alone waits for nobody. Each call has an outcome of its own; only a failure of the transaction is common to all.
/// </summary>
internal sealed class AppendQueue : IAsyncDisposable
{
    /// <summary>Calls that wait; more wait for a place.</summary>
    private const int MaxWaiting = 1024;

    /// <summary>Events after which a transaction takes no further call.</summary>
    private const int BatchEvents = 1024;

    /// <summary>Payload bytes up to which a transaction takes further calls.</summary>
    private const long BatchBytes = EventStoreLimits.MaxPayloadBytes;

    private readonly Channel<PendingAppend> _waiting = Channel.CreateBounded<PendingAppend>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly Func<ImmutableArray<AppendRequest>, Task<ImmutableArray<AppendOutcome>>> _write;
    private readonly Task _writing;

    /// <param name="write">Writes the appends in one transaction, in their order; its answer has an outcome for each. One call at a time.</param>
    public AppendQueue(Func<ImmutableArray<AppendRequest>, Task<ImmutableArray<AppendOutcome>>> write)
    {
        _write = write;
        _writing = Task.Run(WriteAllAsync);
    }

    /// <summary>Appends in turn.</summary>
    /// <exception cref="ObjectDisposedException">The queue has been disposed of.</exception>
    public async Task<AppendResult> AppendAsync(AppendRequest request, CancellationToken cancellationToken)
    {
        var pending = new PendingAppend(request);
        try
        {
            await _waiting.Writer.WriteAsync(pending, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(IEventStore));
        }

        await using var giveUp = cancellationToken.UnsafeRegister(
            static (waiting, token) => ((PendingAppend)waiting!).GiveUp(token), pending);
        return await pending.Outcome;
    }

    /// <summary>Takes no more, and returns when all that waited have their outcome.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAllAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync())
        {
            var batch = Take();
            if (batch.Count == 0)
            {
                continue; // all had given up
            }

            try
            {
                var outcomes = await _write([.. batch.Select(static pending => pending.Request)]);
                for (var i = 0; i < batch.Count; i++)
                {
                    batch[i].Complete(outcomes[i]);
                }
            }
            catch (Exception problem)
            {
                // Every caller gets it; the next transaction may fare better.
                foreach (var pending in batch)
                {
                    pending.Fail(problem);
                }
            }
        }
    }

    private List<PendingAppend> Take()
    {
        var batch = new List<PendingAppend>();
        var (events, bytes) = (0, 0L);
        while (events < BatchEvents && _waiting.Reader.TryPeek(out var next)
            && (batch.Count == 0 || (events + next.Request.Events.Length <= BatchEvents && bytes + next.Request.Bytes <= BatchBytes))
            && _waiting.Reader.TryRead(out next))
        {
            if (next.TryTake())
            {
                batch.Add(next);
                events += next.Request.Events.Length;
                bytes += next.Request.Bytes;
            }
        }

        return batch;
    }
}
