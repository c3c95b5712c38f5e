using System.Collections.Immutable;
using Parallax.Audit.Chain;
using Parallax.Contracts.Messages;

namespace Parallax.Bus.Audit;

/// <summary>Cuts events into messages of bounded size. Pure.</summary>
public static class AuditBatches
{
    /// <summary>Events of one message.</summary>
    public const int MostEvents = 512;

    /// <summary>Payload bytes of one message; a single event may have more.</summary>
    public const int MostBytes = 1024 * 1024;

    /// <summary>The events in order, in as few messages as the limits allow.</summary>
    public static IEnumerable<AuditBatch> Cut(ImmutableArray<ChainedEvent> events)
    {
        var start = 0;
        while (start < events.Length)
        {
            var end = start;
            long bytes = 0;
            do
            {
                bytes += events[end].Payload.Length;
                end++;
            }
            while (end < events.Length && end - start < MostEvents && bytes + events[end].Payload.Length <= MostBytes);

            yield return new AuditBatch([.. events[start..end].Select(ToMessage)]);
            start = end;
        }
    }

    private static AuditBatchEvent ToMessage(ChainedEvent one) => new(one.Stream, one.Number, one.Id, one.Type, one.Payload);
}
