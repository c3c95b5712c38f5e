using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Parallax.EventStore;

namespace Parallax.IntegrationTests.Access;

/// <summary>A store that a test takes away and gives back; what is subscribed ends with it.</summary>
internal sealed class BreakableStore(IEventStore store) : IEventStore
{
    private CancellationTokenSource _breaking = new();

    public bool IsBroken { get; set; }

    public void Break()
    {
        IsBroken = true;
        var before = Interlocked.Exchange(ref _breaking, new CancellationTokenSource());
        before.Cancel();
        before.Dispose();
    }

    public Task<AppendResult> AppendAsync(string stream, long expectedVersion, ImmutableArray<NewEvent> events, CancellationToken cancellationToken)
    {
        ThrowIfBroken();
        return store.AppendAsync(stream, expectedVersion, events, cancellationToken);
    }

    public IAsyncEnumerable<StoredEvent> ReadAsync(string stream, long fromVersion, CancellationToken cancellationToken)
    {
        ThrowIfBroken();
        return store.ReadAsync(stream, fromVersion, cancellationToken);
    }

    public IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterPosition, CancellationToken cancellationToken)
    {
        ThrowIfBroken();
        return store.ReadAllAsync(afterPosition, cancellationToken);
    }

    public async IAsyncEnumerable<StoredEvent> SubscribeAsync(long afterPosition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ThrowIfBroken();
        var broken = _breaking.Token;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(broken, cancellationToken);
        await using var events = store.SubscribeAsync(afterPosition, either.Token).GetAsyncEnumerator(either.Token);
        while (true)
        {
            try
            {
                if (!await events.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (OperationCanceledException) when (broken.IsCancellationRequested)
            {
                ThrowIfBroken();
            }

            yield return events.Current;
        }
    }

    public Task<int> TrimAsync(string stream, long belowVersion, CancellationToken cancellationToken) => store.TrimAsync(stream, belowVersion, cancellationToken);

    public ValueTask DisposeAsync()
    {
        _breaking.Dispose();
        return store.DisposeAsync();
    }

    private void ThrowIfBroken()
    {
        if (IsBroken)
        {
            throw new EventStoreException("The store is taken away.");
        }
    }
}
