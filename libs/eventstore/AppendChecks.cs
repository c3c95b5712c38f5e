using System.Collections.Immutable;
using System.Text;

namespace Parallax.EventStore;

/// <summary>What every store asks of an append before it looks at its events.</summary>
internal static class AppendChecks
{
    public static void RequireName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        if (Encoding.UTF8.GetByteCount(name) > EventStoreLimits.MaxNameBytes)
        {
            throw new ArgumentException($"A name has at most {EventStoreLimits.MaxNameBytes} bytes; this one has {Encoding.UTF8.GetByteCount(name)}.", parameter);
        }
    }

    public static void Require(string stream, long expectedVersion, ImmutableArray<NewEvent> events)
    {
        RequireName(stream, nameof(stream));
        ArgumentOutOfRangeException.ThrowIfLessThan(expectedVersion, StreamVersion.Any);
        if (events.IsDefaultOrEmpty || events.Length > EventStoreLimits.MaxEventsPerAppend)
        {
            throw new ArgumentException(
                $"An append has 1 to {EventStoreLimits.MaxEventsPerAppend} events; this one has {(events.IsDefault ? 0 : events.Length)}.", nameof(events));
        }

        var ids = new HashSet<Guid>(events.Length);
        long bytes = 0;
        foreach (var added in events)
        {
            RequireName(added.Type, nameof(events));
            if (!ids.Add(added.Id))
            {
                throw new ArgumentException($"Two events of the append have the id {added.Id}.", nameof(events));
            }

            if (added.Payload.Length > EventStoreLimits.MaxPayloadBytes)
            {
                throw new ArgumentException(
                    $"An event's payload has at most {EventStoreLimits.MaxPayloadBytes} bytes; that of '{added.Type}' has {added.Payload.Length}.", nameof(events));
            }

            bytes += added.Payload.Length;
        }

        if (bytes > EventStoreLimits.MaxAppendBytes)
        {
            throw new ArgumentException(
                $"The payloads of an append have at most {EventStoreLimits.MaxAppendBytes} bytes together; these have {bytes}.", nameof(events));
        }
    }

    /// <summary>
    /// Whether the append is a repeat of an earlier one: false when none of its ids is known.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="events">What is to be appended.</param>
    /// <param name="known">The stored event of each id; null where there is none.</param>
    /// <exception cref="EventIdTakenException">An id belongs to another event.</exception>
    public static bool IsRepeat(string stream, ImmutableArray<NewEvent> events, IReadOnlyList<StoredEvent?> known)
    {
        if (known.All(static found => found is null))
        {
            return false;
        }

        for (var i = 0; i < events.Length; i++)
        {
            var (added, found) = (events[i], known[i]);
            if (found is null || found.Stream != stream || found.Version != known[0]!.Version + i || found.Type != added.Type
                || !found.Payload.Span.SequenceEqual(added.Payload.Span))
            {
                throw new EventIdTakenException((known[i] ?? known.First(static one => one is not null))!.Id, stream);
            }
        }

        return true;
    }
}
