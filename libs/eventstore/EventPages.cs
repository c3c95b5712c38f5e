using System.Runtime.CompilerServices;

namespace Parallax.EventStore;

/// <summary>How stores that read page by page give out events.</summary>
internal static class EventPages
{
    /// <summary>The events of page after page, until one is empty.</summary>
    /// <param name="start">Where the first page begins.</param>
    /// <param name="next">Where the page behind an event begins.</param>
    /// <param name="read">Reads the page that begins somewhere.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async IAsyncEnumerable<StoredEvent> ReadAsync(
        long start,
        Func<StoredEvent, long> next,
        Func<long, CancellationToken, Task<List<StoredEvent>>> read,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var page = await read(start, cancellationToken);
            foreach (var found in page)
            {
                yield return found;
            }

            if (page.Count == 0)
            {
                yield break;
            }

            start = next(page[^1]);
        }
    }

    /// <summary>
    /// The events behind a position and those that come later: looked for when this process appends, and now and then for what others append.
    /// </summary>
    /// <param name="store">Whose.</param>
    /// <param name="afterPosition">0 begins with the first.</param>
    /// <param name="appended">Wakes at this process's appends.</param>
    /// <param name="pollPeriod">How often it is looked anyway.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async IAsyncEnumerable<StoredEvent> FollowAsync(
        IEventStore store,
        long afterPosition,
        AppendSignal appended,
        TimeSpan pollPeriod,
        TimeProvider clock,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = appended.Next;
            await foreach (var found in store.ReadAllAsync(afterPosition, cancellationToken))
            {
                afterPosition = found.Position;
                yield return found;
            }

            using var woken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(next, Task.Delay(pollPeriod, clock, woken.Token));
            await woken.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
