using System.Collections.Immutable;
using CsCheck;
using Parallax.Audit.Chain;
using Parallax.Bus.Audit;

namespace Parallax.UnitTests.Bus;

public sealed class AuditBatchesTests
{
    [Fact]
    public void Cut_AnyEvents_AreAllThereInOrderAndWithinTheLimits() =>
        Gen.Int[0, AuditBatches.MostBytes * 3 / 2].Array[0, 12].Select(Gen.Int[0, 1200], static (sizes, small) => (sizes, small)).Sample(
            static input =>
            {
                ImmutableArray<ChainedEvent> events =
                [
                    .. Enumerable.Repeat(10, input.small).Concat(input.sizes).Select(static (size, number) =>
                        new ChainedEvent("s", number + 1, Guid.Empty, "t", new byte[size], "")),
                ];
                var batches = AuditBatches.Cut(events).ToList();
                Assert.Equal(events.Select(static one => one.Number), batches.SelectMany(static batch => batch.Events).Select(static one => one.Number));
                Assert.All(batches, static batch => Assert.InRange(batch.Events.Count, 1, AuditBatches.MostEvents));
                Assert.All(batches, static batch => Assert.True(batch.Events.Count == 1 || batch.Events.Sum(static one => (long)one.Payload.Length) <= AuditBatches.MostBytes));
            },
            iter: 50);
}
