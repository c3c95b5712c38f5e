using System.Collections.Immutable;
using Parallax.EventStore;

namespace Parallax.IntegrationTests.Bus;

/// <summary>A store that is away when the test says so.</summary>
internal sealed class FailingStore(IEventStore inner) : IEventStore
{
    private int _failures;

    public bool Fails { get; set; }

    /// <summary>Calls that failed.</summary>
    public int Failures => Volatile.Read(ref _failures);

    public Task<AppendResult> AppendAsync(string stream, long expectedVersion, ImmutableArray<NewEvent> events, CancellationToken cancellationToken)
    {
        Check();
        return inner.AppendAsync(stream, expectedVersion, events, cancellationToken);
    }

    public IAsyncEnumerable<StoredEvent> ReadAsync(string stream, long fromVersion, CancellationToken cancellationToken)
    {
        Check();
        return inner.ReadAsync(stream, fromVersion, cancellationToken);
    }

    public IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterPosition, CancellationToken cancellationToken)
    {
        Check();
        return inner.ReadAllAsync(afterPosition, cancellationToken);
    }

    public IAsyncEnumerable<StoredEvent> SubscribeAsync(long afterPosition, CancellationToken cancellationToken)
    {
        Check();
        return inner.SubscribeAsync(afterPosition, cancellationToken);
    }

    public Task<int> TrimAsync(string stream, long belowVersion, CancellationToken cancellationToken)
    {
        Check();
        return inner.TrimAsync(stream, belowVersion, cancellationToken);
    }

    public Task<int> DeleteAsync(string stream, CancellationToken cancellationToken)
    {
        Check();
        return inner.DeleteAsync(stream, cancellationToken);
    }

    /// <summary>The inner store stays the test's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Check()
    {
        if (Fails)
        {
            Interlocked.Increment(ref _failures);
            throw new EventStoreException("The store is away, says the test.");
        }
    }
}
