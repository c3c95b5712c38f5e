using System.Collections.Immutable;
using Parallax.EventStore;

namespace Parallax.UnitTests.EventStore;

/// <summary>A store that can be made to fail, before or after it has done what it was asked.</summary>
internal sealed class FlakyStore(IEventStore inner) : IEventStore
{
    /// <summary>Appends fail and append nothing.</summary>
    public bool FailsBefore { get; set; }

    /// <summary>Appends append and then fail.</summary>
    public bool FailsAfter { get; set; }

    /// <summary>Appends never answer.</summary>
    public bool Hangs { get; set; }

    public async Task<AppendResult> AppendAsync(string stream, long expectedVersion, ImmutableArray<NewEvent> events, CancellationToken cancellationToken)
    {
        if (Hangs)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        if (FailsBefore)
        {
            throw new EventStoreException("The store fails.");
        }

        var result = await inner.AppendAsync(stream, expectedVersion, events, cancellationToken);
        return FailsAfter ? throw new EventStoreException("The answer got lost.") : result;
    }

    public IAsyncEnumerable<StoredEvent> ReadAsync(string stream, long fromVersion, CancellationToken cancellationToken) =>
        inner.ReadAsync(stream, fromVersion, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterPosition, CancellationToken cancellationToken) =>
        inner.ReadAllAsync(afterPosition, cancellationToken);

    public IAsyncEnumerable<StoredEvent> SubscribeAsync(long afterPosition, CancellationToken cancellationToken) =>
        inner.SubscribeAsync(afterPosition, cancellationToken);

    public Task<int> DeleteAsync(string stream, CancellationToken cancellationToken) => inner.DeleteAsync(stream, cancellationToken);

    public Task<int> TrimAsync(string stream, long belowVersion, CancellationToken cancellationToken) =>
        inner.TrimAsync(stream, belowVersion, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
