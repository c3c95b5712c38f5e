using System.Collections.Immutable;
using Parallax.EventStore;

namespace Parallax.UnitTests.Bus;

/// <summary>A store whose first appends fail.</summary>
internal sealed class BrokenStore(IEventStore inner, int failures) : IEventStore
{
    private int _left = failures;

    public Task<AppendResult> AppendAsync(string stream, long expectedVersion, ImmutableArray<NewEvent> events, CancellationToken cancellationToken) =>
        Interlocked.Decrement(ref _left) >= 0
            ? throw new EventStoreException("The store is away, says the test.")
            : inner.AppendAsync(stream, expectedVersion, events, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadAsync(string stream, long fromVersion, CancellationToken cancellationToken) => inner.ReadAsync(stream, fromVersion, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterPosition, CancellationToken cancellationToken) => inner.ReadAllAsync(afterPosition, cancellationToken);

    public IAsyncEnumerable<StoredEvent> SubscribeAsync(long afterPosition, CancellationToken cancellationToken) => inner.SubscribeAsync(afterPosition, cancellationToken);

    public Task<int> TrimAsync(string stream, long belowVersion, CancellationToken cancellationToken) => inner.TrimAsync(stream, belowVersion, cancellationToken);

    public Task<int> DeleteAsync(string stream, CancellationToken cancellationToken) => inner.DeleteAsync(stream, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
