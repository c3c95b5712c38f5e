using System.Collections.Immutable;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Bus.Audit;
using Parallax.Contracts.Messages;

namespace Parallax.UnitTests.Bus;

/// <summary>Chains of events for tests.</summary>
internal static class AuditEvents
{
    public static readonly string OneStream = AuditStreams.Segment("r", new string('a', 40), 1, 1);

    public static ImmutableArray<ChainedEvent> Chain(string stream, int count)
    {
        var chain = new AuditChain(stream);
        return [.. Enumerable.Range(0, count).Select(number => chain.Append(new RequestCancelled(number), DateTimeOffset.UnixEpoch))];
    }

    public static AuditBatch Batch(params IEnumerable<ChainedEvent> events) => Assert.Single(AuditBatches.Cut([.. events]));
}
