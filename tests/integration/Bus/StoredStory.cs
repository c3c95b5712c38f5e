using Parallax.Audit.Chain;
using Parallax.EventStore;

namespace Parallax.IntegrationTests.Bus;

/// <summary>Compares what is in the store with what was told.</summary>
internal static class StoredStory
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Waits until as many events of the audit are stored, then compares all: each once, in order, to the byte.</summary>
    public static async Task ArrivesAsync(IEventStore store, IReadOnlyList<ChainedEvent> told)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        var position = 0L;
        var stored = new List<StoredEvent>();
        while (stored.Count < told.Count)
        {
            await foreach (var one in store.ReadAllAsync(position, patience.Token))
            {
                position = one.Position;
                if (one.Stream.StartsWith(AuditStreams.RequestPrefix, StringComparison.Ordinal))
                {
                    stored.Add(one);
                }
            }

            await Task.Delay(20, patience.Token);
        }

        Compare(stored, told);
    }

    private static void Compare(List<StoredEvent> stored, IReadOnlyList<ChainedEvent> told)
    {
        Assert.Equal(told.Count, stored.Count);
        foreach (var stream in told.GroupBy(static one => one.Stream, StringComparer.Ordinal))
        {
            var there = stored.Where(one => one.Stream == stream.Key).ToList();
            Assert.Equal(stream.Select(static one => (one.Number, one.Id, one.Type)), there.Select(static one => (one.Version, one.Id, one.Type)));
            Assert.All(stream.Zip(there), static pair => Assert.True(pair.First.Payload.Span.SequenceEqual(pair.Second.Payload.Span)));
        }
    }
}
