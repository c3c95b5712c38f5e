using System.Collections.Immutable;

namespace Parallax.EventStore;

/// <summary>
/// Append-only streams of events with compare-and-set. Within a stream, versions run from 1 without gaps; over all streams,
/// positions rise, and an event becomes visible only after all events of lower positions. Thread-safe.
/// </summary>
/// <remarks>
/// What is returned has been read from, or written to, the store at the time of the call: nothing is cached, so that several
/// processes may use one store. Every call may throw <see cref="EventStoreException"/> when the store cannot be used just then.
/// </remarks>
public interface IEventStore : IAsyncDisposable
{
    /// <summary>
    /// Appends events to a stream, all or none, if its last event has the version that is expected. Events with ids that the
    /// stream has already, in the same order and with the same contents, are not appended again: the answer is what it was then.
    /// So a call whose outcome got lost can be repeated, whatever has been appended since. Cancelling gives up waiting for the
    /// turn; a write that has begun is finished.
    /// </summary>
    /// <param name="stream">Its name: 1 to <see cref="EventStoreLimits.MaxNameBytes"/> bytes in UTF-8, none of them 0.</param>
    /// <param name="expectedVersion">Version of the last event; 0: the stream is empty; <see cref="StreamVersion.Any"/>: whatever it is.</param>
    /// <param name="events">1 to <see cref="EventStoreLimits.MaxEventsPerAppend"/> events.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="ArgumentException">A name, an event or the number of events is beyond <see cref="EventStoreLimits"/>.</exception>
    /// <exception cref="EventIdTakenException">One of the ids belongs to another event.</exception>
    Task<AppendResult> AppendAsync(string stream, long expectedVersion, ImmutableArray<NewEvent> events, CancellationToken cancellationToken);

    /// <summary>The events of a stream from a version on, in order, up to the last of now.</summary>
    IAsyncEnumerable<StoredEvent> ReadAsync(string stream, long fromVersion, CancellationToken cancellationToken);

    /// <summary>The events of all streams behind a position, in order, up to the last of now.</summary>
    /// <param name="afterPosition">0 reads all.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterPosition, CancellationToken cancellationToken);

    /// <summary>
    /// The events of all streams behind a position, in order, and then those that are appended later, by whichever process,
    /// until it is cancelled. Each comes once; a reader that goes away takes up again with the last position it has dealt with.
    /// </summary>
    IAsyncEnumerable<StoredEvent> SubscribeAsync(long afterPosition, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets a stream's events below a version, and their ids with them; the last event always stays, so that versions go on.
    /// For streams of which only the newest events mean anything.
    /// </summary>
    /// <returns>How many events were forgotten.</returns>
    Task<int> TrimAsync(string stream, long belowVersion, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets a stream whole, and its events' ids with it: the next append to that name begins at version 1 again, at a higher position.
    /// For retention, of streams that have ended: whoever still appends to it with a version that it knows gets a conflict.
    /// </summary>
    /// <returns>How many events were forgotten; 0 when there is no such stream.</returns>
    Task<int> DeleteAsync(string stream, CancellationToken cancellationToken);
}
