using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Parallax.Audit.Chain;
using Parallax.Contracts.Messages;
using Parallax.EventStore;

namespace Parallax.Scheduler.Audit;

/// <summary>
/// Reads a batch that came over the network: nothing in it is believed. Events of types that this program does not know pass,
/// since a newer router may write them: they are stored as they are. Pure.
/// </summary>
internal static class AuditBatchCheck
{
    /// <summary>Events of one message.</summary>
    public const int MostEvents = EventStoreLimits.MaxEventsPerAppend;

    /// <summary>Payload bytes of one message.</summary>
    public const int MostBytes = EventStoreLimits.MaxAppendBytes;

    /// <summary>The streams' runs, in order of their first events.</summary>
    /// <exception cref="AuditRejectedException">Something is wrong with it; says what.</exception>
    public static ImmutableArray<StreamRun> Read(AuditBatch batch)
    {
        if (batch.Events is not { Count: > 0 and <= MostEvents } events)
        {
            throw Malformed($"It has {batch.Events?.Count ?? 0} events; 1 to {MostEvents} may be in it.");
        }

        if (events.Sum(static one => (long)(one?.Payload.Length ?? 0)) > MostBytes)
        {
            throw Malformed($"It has more than {MostBytes} bytes of payloads.");
        }

        var runs = new Dictionary<string, Run>(StringComparer.Ordinal);
        var order = new List<Run>();
        foreach (var one in events)
        {
            var (previous, hash) = Check(one);
            if (!runs.TryGetValue(one!.Stream, out var run))
            {
                runs.Add(one.Stream, run = new Run(one.Stream, one.Number));
                order.Add(run);
            }
            else if (one.Number != run.First + run.Events.Count)
            {
                throw Malformed($"Event {Number(one.Number)} of stream '{one.Stream}' does not follow event {Number(run.First + run.Events.Count - 1)}.");
            }
            else if (previous != run.Head)
            {
                throw Malformed($"Event {Number(one.Number)} of stream '{one.Stream}' does not name the hash of the one before.");
            }

            run.Head = hash;
            run.Events.Add(new NewEvent(one.Id, one.Type, one.Payload));
        }

        return [.. order.Select(static run => new StreamRun(run.Stream, run.First, run.Events.ToImmutable()))];
    }

    /// <summary>Looks at one event by itself; its previous hash and its own.</summary>
    private static (string Previous, string Hash) Check(AuditBatchEvent? one)
    {
        if (one is not { Stream: not null, Type: not null })
        {
            throw Malformed("An event has no stream or no type.");
        }

        if (!IsAuditStream(one.Stream))
        {
            throw Malformed($"'{Printable(one.Stream)}' is no stream of the audit.");
        }

        if (one.Number < 1)
        {
            throw Malformed($"An event of stream '{one.Stream}' has the number {Number(one.Number)}.");
        }

        var place = $"Event {Number(one.Number)} of stream '{one.Stream}'";
        if (one.Type.Length is 0 or > 64 || one.Type.Any(static c => !char.IsAsciiLetterOrDigit(c) && c != '-'))
        {
            throw Malformed($"{place} has '{Printable(one.Type)}' for its type.");
        }

        if (one.Payload.Length > EventStoreLimits.MaxPayloadBytes)
        {
            throw Malformed($"{place} has {Number(one.Payload.Length)} bytes; at most {EventStoreLimits.MaxPayloadBytes} may be in one.");
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(one.Payload.Span, hash);
        if (one.Id != new Guid(hash[..16], bigEndian: true))
        {
            throw Malformed($"{place} has an id that is not of its payload's hash.");
        }

        var envelope = ReadEnvelope(one.Payload, place);
        if (envelope.Stream != one.Stream || envelope.Number != one.Number || envelope.Type != one.Type)
        {
            throw Malformed($"{place} says of itself that it is number {Number(envelope.Number)} of '{Printable(envelope.Stream)}', a '{Printable(envelope.Type)}'.");
        }

        if (envelope.Previous.Length != 64 || (one.Number == 1 && envelope.Previous != AuditChain.Origin))
        {
            throw Malformed($"{place} names no hash of the event before.");
        }

        return (envelope.Previous, Convert.ToHexStringLower(hash));
    }

    private static bool IsAuditStream(string stream) =>
        Encoding.UTF8.GetByteCount(stream) <= EventStoreLimits.MaxNameBytes
        && stream.All(static c => c is > ' ' and <= '~')
        && (stream.StartsWith(AuditStreams.RequestPrefix, StringComparison.Ordinal)
            || stream.StartsWith(AuditStreams.WriterPrefix, StringComparison.Ordinal)
            || stream.StartsWith(AuditStreams.RetirementPrefix, StringComparison.Ordinal));

    private static AuditEnvelope ReadEnvelope(ReadOnlyMemory<byte> payload, string place)
    {
        try
        {
            return AuditCodec.ReadEnvelope(payload);
        }
        catch (AuditFormatException)
        {
            throw Malformed($"{place} is no JSON object of an event.");
        }
    }

    private static AuditRejectedException Malformed(string problem) => new(AuditRejection.Malformed, problem);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Printable(string text) =>
        string.Concat((text.Length > 64 ? text[..64] : text).Select(static c => c is >= ' ' and <= '~' ? c : '?'));

    private sealed class Run(string stream, long first)
    {
        public string Stream => stream;

        public long First => first;

        public string Head { get; set; } = "";

        public ImmutableArray<NewEvent>.Builder Events { get; } = ImmutableArray.CreateBuilder<NewEvent>();
    }
}
