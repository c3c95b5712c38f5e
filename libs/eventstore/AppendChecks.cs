using System.Collections.Immutable;
using System.Text;

namespace Parallax.EventStore;

/// <summary>What every store asks of an append before it looks at its events.</summary>
internal static class AppendChecks
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void RequireName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        int bytes;
        try
        {
            bytes = Strict.GetByteCount(name);
        }
        catch (EncoderFallbackException problem)
        {
            throw new ArgumentException("A name is text; this one has half a character in it.", parameter, problem);
        }

        // Not every store can keep a zero in its texts.
        if (bytes > EventStoreLimits.MaxNameBytes || name.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"A name has at most {EventStoreLimits.MaxNameBytes} bytes, none of them 0; this one has {bytes}.", parameter);
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
}
