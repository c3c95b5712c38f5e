namespace Parallax.EventStore.Terms;

/// <summary>
/// A term that this process holds. It is renewed in the background; it is lost when it could not be renewed in time or somebody
/// else has taken the lease. Disposing of it gives it back, so that the next holder need not wait.
/// </summary>
public sealed class HeldTerm : IAsyncDisposable
{
    /// <summary>Renewals after which the stream's old events are forgotten.</summary>
    private const int RenewalsPerTrim = 64;

    private readonly IEventStore _store;
    private readonly string _stream;
    private readonly TermEntry _entry;
    private readonly TermLeaseOptions _options;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _expiry;
    private readonly Task _renewing;
    private long _version;
    private long _heldFrom;
    private int _isDisposed;

    internal HeldTerm(
        IEventStore store, string stream, TermEntry entry, long version, long heldFrom, TermLeaseOptions options, TimeProvider clock)
    {
        _store = store;
        _stream = stream;
        _entry = entry;
        _version = version;
        _heldFrom = heldFrom;
        _options = options;
        _clock = clock;
        Lost = _lost.Token;
        // A renewal that hangs must not keep a term alive: the timer ends it, whatever the store does.
        _expiry = clock.CreateTimer(_ => ExpireIfDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        ExpireIfDue();
        _renewing = RenewAsync();
    }

    /// <summary>The term.</summary>
    public long Term => _entry.Term;

    /// <summary>Cancelled when the term is lost or given back.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Why the last renewal failed; null when it did not.</summary>
    public EventStoreException? Problem { get; private set; }

    /// <summary>Whether the term is certainly still held; by the clock, so also right in a process that was stopped for a while.</summary>
    public bool IsHeld => !Lost.IsCancellationRequested && Remaining() > TimeSpan.Zero;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync();
        await _renewing;
        if (IsHeld)
        {
            try
            {
                await _store.AppendAsync(_stream, _version, [_entry.ToEvent(TermEntry.Released)], CancellationToken.None);
            }
            catch (EventStoreException problem)
            {
                Problem = problem; // the lease runs out by itself
            }
        }

        await _expiry.DisposeAsync();
        await _lost.CancelAsync();
        _stop.Dispose();
    }

    private TimeSpan Remaining() => _options.Lease - _clock.GetElapsedTime(Interlocked.Read(ref _heldFrom));

    private void ExpireIfDue()
    {
        var remaining = Remaining();
        if (remaining <= TimeSpan.Zero)
        {
            _lost.Cancel();
        }
        else
        {
            _expiry.Change(remaining, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task RenewAsync()
    {
        // A renewal is kept over a failure: the same event again is recognised if it was stored after all, and then the lease
        // counts from its first attempt.
        NewEvent? pending = null;
        long startedAt = 0;
        var renewals = 0;
        try
        {
            while (!Lost.IsCancellationRequested)
            {
                await Task.Delay(_options.RenewPeriod, _clock, _stop.Token);
                if (pending is null)
                {
                    startedAt = _clock.GetTimestamp();
                    pending = _entry.ToEvent(TermEntry.Renewed);
                }

                try
                {
                    if (await _store.AppendAsync(_stream, _version, [pending], _stop.Token) is not AppendResult.Appended appended)
                    {
                        await _lost.CancelAsync();
                        return;
                    }

                    _version = appended.Version;
                    Problem = null;
                    pending = null;
                    Interlocked.Exchange(ref _heldFrom, startedAt);
                    if (++renewals % RenewalsPerTrim == 0)
                    {
                        await _store.TrimAsync(_stream, _version, _stop.Token);
                    }
                }
                catch (EventStoreException problem)
                {
                    Problem = problem; // again at the next period, until the lease has run out
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Given back.
        }
    }
}
