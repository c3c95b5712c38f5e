using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Parallax.EventStore.Appends;

namespace Parallax.EventStore.Memory;

/// <summary>Streams in this process's memory, gone with it: for a swarm in one process that keeps no state.</summary>
public sealed class InMemoryEventStore : IEventStore
{
    private readonly TimeProvider _clock;
    private readonly long _maxBytes;
    private readonly AppendSignal _appended = new();
    private readonly Lock _gate = new(); // guards everything below
    private readonly SortedList<long, StoredEvent> _all = [];
    private readonly Dictionary<string, List<StoredEvent>> _streams = [];
    private readonly Dictionary<Guid, StoredEvent> _byId = [];
    private long _position;
    private long _bytes;
    private bool _isDisposed;

    /// <param name="clock">Stamps events.</param>
    /// <param name="maxBytes">Bytes that all events may take; an append beyond them fails.</param>
    public InMemoryEventStore(TimeProvider clock, long maxBytes = 256L * 1024 * 1024)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        _clock = clock;
        _maxBytes = maxBytes;
    }

    /// <inheritdoc/>
    public Task<AppendResult> AppendAsync(string stream, long expectedVersion, ImmutableArray<NewEvent> events, CancellationToken cancellationToken)
    {
        AppendChecks.Require(stream, expectedVersion, events);
        cancellationToken.ThrowIfCancellationRequested();
        AppendResult result;
        lock (_gate)
        {
            result = Append(stream, expectedVersion, events);
        }

        if (result is AppendResult.Appended { IsRepeat: false })
        {
            _appended.Raise();
        }

        return Task.FromResult(result);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredEvent> ReadAsync(
        string stream, long fromVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        AppendChecks.RequireName(stream, nameof(stream));
        await Task.CompletedTask;
        foreach (var found in Snapshot(() => _streams.TryGetValue(stream, out var events) ? [.. events.Where(one => one.Version >= fromVersion)] : []))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return found;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterPosition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var found in Snapshot(() => [.. _all.Values.Skip(CountUpTo(afterPosition))]))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return found;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredEvent> SubscribeAsync(long afterPosition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var appended = _appended.Next;
            await foreach (var found in ReadAllAsync(afterPosition, cancellationToken))
            {
                afterPosition = found.Position;
                yield return found;
            }

            await appended.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task<int> TrimAsync(string stream, long belowVersion, CancellationToken cancellationToken)
    {
        AppendChecks.RequireName(stream, nameof(stream));
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_streams.TryGetValue(stream, out var events))
            {
                return Task.FromResult(0);
            }

            var count = events.Take(events.Count - 1).TakeWhile(one => one.Version < belowVersion).Count();
            Forget(events.Take(count));
            events.RemoveRange(0, count);
            return Task.FromResult(count);
        }
    }

    /// <inheritdoc/>
    public Task<int> DeleteAsync(string stream, CancellationToken cancellationToken)
    {
        AppendChecks.RequireName(stream, nameof(stream));
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_streams.Remove(stream, out var events))
            {
                return Task.FromResult(0);
            }

            Forget(events);
            return Task.FromResult(events.Count);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        _appended.Raise(); // subscribers find out
        return ValueTask.CompletedTask;
    }

    private static long SizeOf(ReadOnlyMemory<byte> payload) => payload.Length + 256; // and what the tables take

    private void Forget(IEnumerable<StoredEvent> events)
    {
        foreach (var forgotten in events)
        {
            _byId.Remove(forgotten.Id);
            _all.Remove(forgotten.Position);
            _bytes -= SizeOf(forgotten.Payload);
        }
    }

    private AppendResult Append(string stream, long expectedVersion, ImmutableArray<NewEvent> events)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var known = events.Select(added => _byId.TryGetValue(added.Id, out var stored) ? KnownEvent.Of(stored) : null).ToList();
        if (Repeats.IsRepeat(stream, events, known))
        {
            return new AppendResult.Appended(known[^1]!.Version, known[^1]!.Position, IsRepeat: true);
        }

        var present = _streams.TryGetValue(stream, out var list) ? list[^1].Version : StreamVersion.Empty;
        if (expectedVersion != StreamVersion.Any && expectedVersion != present)
        {
            return new AppendResult.Conflict(present);
        }

        var bytes = events.Sum(static added => SizeOf(added.Payload));
        if (_bytes + bytes > _maxBytes)
        {
            throw new EventStoreException(
                $"The event store in memory is full: {_bytes} of {_maxBytes} bytes are taken and {bytes} more were to be appended. Keep the state in a file instead.");
        }

        if (list is null)
        {
            _streams[stream] = list = [];
        }

        var now = Timestamps.Rounded(_clock.GetUtcNow());
        foreach (var added in events)
        {
            var stored = new StoredEvent(stream, ++present, ++_position, added.Id, added.Type, now, added.Payload.ToArray());
            list.Add(stored);
            _all.Add(stored.Position, stored);
            _byId.Add(stored.Id, stored);
        }

        _bytes += bytes;
        return new AppendResult.Appended(present, _position, IsRepeat: false);
    }

    private ImmutableArray<StoredEvent> Snapshot(Func<ImmutableArray<StoredEvent>> read)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return read();
        }
    }

    private int CountUpTo(long position)
    {
        var (low, high) = (0, _all.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _all.GetKeyAtIndex(middle) <= position ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
