using System.Collections.Immutable;

namespace Parallax.EventStore.Appends;

/// <summary>Recognises appends whose answer got lost.</summary>
internal static class Repeats
{
    /// <summary>Whether the append is a repeat of an earlier one: false when none of its ids is known.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="events">What is to be appended.</param>
    /// <param name="known">What the store has under each id; null where there is nothing.</param>
    /// <exception cref="EventIdTakenException">An id belongs to another event.</exception>
    public static bool IsRepeat(string stream, ImmutableArray<NewEvent> events, IReadOnlyList<KnownEvent?> known)
    {
        if (known.All(static found => found is null))
        {
            return false;
        }

        for (var i = 0; i < events.Length; i++)
        {
            var (added, found) = (events[i], known[i]);
            if (found is null || found.Stream != stream || found.Version != known[0]!.Version + i || found.Type != added.Type
                || found.Payload is not { } payload || !payload.Span.SequenceEqual(added.Payload.Span))
            {
                throw new EventIdTakenException((found ?? known.First(static one => one is not null))!.Id, stream);
            }
        }

        return true;
    }
}
