using CsCheck;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Verify;
using Parallax.EventStore;

namespace Parallax.UnitTests.Audit;

/// <summary>Whatever is done to a history is found, and nothing is found in one that nobody touched.</summary>
public sealed class TamperingTests
{
    private static readonly Gen<(int Seed, int Draw)> Any = Gen.Select(Gen.Int[1, 100_000], Gen.Int[0, int.MaxValue]);

    [Fact]
    public void Pristine_NothingIsFound() => Gen.Int[1, 100_000].Sample(
        seed =>
        {
            var report = History.Verify(History.Of(seed, 100).Events);
            Assert.True(report.IsFine, string.Join('\n', report.Findings));
        },
        iter: 150, threads: 1);

    [Fact]
    public void ByteFlipped_EveryEvent_IsFoundAndNamed() => Any.Sample(
        (seed, draw) =>
        {
            var events = History.Of(seed, 30).Events;
            var random = new Random(draw);
            foreach (var one in events)
            {
                var payload = one.Payload.ToArray();
                payload[random.Next(payload.Length)] ^= (byte)(1 << random.Next(8));
                var found = History.Verify(events.Replace(one, one with { Payload = payload })).Findings;
                Assert.Contains(found, finding => finding is { IsNote: false, Kind: FindingKind.Altered } && finding.Stream == one.Stream && finding.Number == one.Version);
            }
        },
        iter: 6, threads: 1);

    [Fact]
    public void Rewritten_WithGoodHashes_IsFoundWhereASignatureCoversIt() => Any.Sample(
        (seed, draw) =>
        {
            var history = History.Of(seed, 40);
            foreach (var one in history.Events.Where(history.IsSigned).OrderBy(one => one.Id.GetHashCode() ^ draw).Take(12))
            {
                var report = History.Verify(History.Rechain(history.Events, one, static record => record with { At = record.At.AddSeconds(1) }));
                Assert.Contains(report.Findings, finding => !finding.IsNote && finding.Stream == one.Stream);
            }
        },
        iter: 15, threads: 1);

    [Fact]
    public void Deleted_OneEvent_IsFoundUnlessItIsAnUnsignedEnd() => Any.Sample(
        (seed, _) =>
        {
            var history = History.Of(seed, 30);
            foreach (var one in history.Events)
            {
                var isLast = !history.Events.Any(other => other.Stream == one.Stream && other.Version > one.Version);
                if (!isLast || (history.IsSigned(one) && one.Version > 1))
                {
                    var report = History.Verify(history.Events.Remove(one));
                    Assert.Contains(report.Findings, finding => finding is { IsNote: false, Kind: FindingKind.Deleted or FindingKind.CutOff } && finding.Stream == one.Stream && finding.Number == one.Version);
                }
            }
        },
        iter: 6, threads: 1);

    [Fact]
    public void Deleted_AWholeStream_IsFoundIfAnythingNamesIt() => Any.Sample(
        (seed, _) =>
        {
            var history = History.Of(seed, 60);
            foreach (var stream in history.Events.Select(static one => one.Stream).Distinct())
            {
                if (history.IsNamed(stream))
                {
                    var report = History.Verify(history.Events.RemoveAll(one => one.Stream == stream));
                    Assert.False(report.IsFine, $"{stream} is gone and nobody noticed");
                }
            }
        },
        iter: 10, threads: 1);

    [Fact]
    public void Deleted_AWholeStreamThatACheckpointLists_IsNamed()
    {
        var events = History.Of(11, 80).Events;
        var listed = events.Select(static one => AuditCodec.Decode(one.Payload).Event).OfType<Checkpoint>().SelectMany(static one => one.Streams)
            .First(head => events.Any(one => one.Stream == head.Stream));
        var report = History.Verify(events.RemoveAll(one => one.Stream == listed.Stream));
        Assert.Contains(report.Findings, finding => finding.Kind == FindingKind.Deleted && finding.Stream == listed.Stream && finding.Number is null);
    }

    [Fact]
    public void CutOff_ASignedTail_IsFound() => Any.Sample(
        (seed, draw) =>
        {
            var history = History.Of(seed, 60);
            foreach (var stream in history.Events.GroupBy(static one => one.Stream))
            {
                var signed = stream.Where(history.IsSigned).Select(static one => one.Version).DefaultIfEmpty().Max();
                if (signed > 1)
                {
                    var from = 2 + (draw % (signed - 1));
                    var report = History.Verify(history.Events.RemoveAll(one => one.Stream == stream.Key && one.Version >= from));
                    var isOpenWriter = stream.Key.StartsWith(AuditStreams.WriterPrefix, StringComparison.Ordinal) && !HasLaterTerm(history, stream.Key);
                    Assert.True(isOpenWriter || !report.IsFine, $"{stream.Key} was cut off before event {from}");
                }
            }
        },
        iter: 10, threads: 1);

    [Fact]
    public void Inserted_ACopyAnywhere_IsFound() => Any.Sample(
        (seed, draw) =>
        {
            var events = History.Of(seed, 40).Events;
            var random = new Random(draw);
            for (var i = 0; i < 15; i++)
            {
                var (copied, place) = (events[random.Next(events.Length)], events[random.Next(events.Length)]);
                var moved = events.Select(one => one.Stream == place.Stream && one.Version >= place.Version ? one with { Version = one.Version + 1 } : one);
                var report = History.Verify(moved.Append(copied with { Stream = place.Stream, Version = place.Version, Position = place.Position }).ToArray());
                Assert.False(report.IsFine);
                var end = events.Where(one => one.Stream == place.Stream).Max(static one => one.Version);
                Assert.False(History.Verify(events.Add(copied with { Stream = place.Stream, Version = end + 1, Position = events[^1].Position + 1 })).IsFine);
            }
        },
        iter: 8, threads: 1);

    [Fact]
    public void Swapped_AnyTwo_IsFound() => Any.Sample(
        (seed, draw) =>
        {
            var events = History.Of(seed, 40).Events;
            var random = new Random(draw);
            for (var i = 0; i < 20; i++)
            {
                var (a, b) = (events[random.Next(events.Length)], events[random.Next(events.Length)]);
                if (a != b)
                {
                    var swapped = events
                        .Replace(a, a with { Id = b.Id, Type = b.Type, Payload = b.Payload })
                        .Replace(b, b with { Id = a.Id, Type = a.Type, Payload = a.Payload });
                    Assert.Contains(History.Verify(swapped).Findings, static finding => finding is { IsNote: false, Kind: FindingKind.Reordered });
                }
            }
        },
        iter: 8, threads: 1);

    [Fact]
    public void Signed_WithAnotherKey_IsFoundAsForged() => Any.Sample(
        (seed, _) =>
        {
            var events = History.Of(seed, 60).Events;
            foreach (var one in events.Where(static one => one.Type == "checkpoint").Take(4))
            {
                var report = History.Verify(History.Rechain(events, one, record => record with
                {
                    Event = (Checkpoint)record.Event with
                    {
                        Signature = Convert.ToBase64String(History.Stranger.Sign(CheckpointBytes.Of(one.Stream, record.Previous, (Checkpoint)record.Event))),
                    },
                }));
                Assert.Contains(report.Findings, finding => finding.Kind == FindingKind.Forged && finding.Stream == one.Stream);
            }

            foreach (var one in events.Where(static one => one.Type is "writer-started" or "streams-retired").Take(3))
            {
                var key = Convert.ToBase64String(History.Stranger.PublicKey.Span);
                var report = History.Verify(History.Rechain(events, one, record => record with
                {
                    Event = record.Event switch
                    {
                        WriterStarted started => started with { PublicKey = key },
                        StreamsRetired retired => retired with { PublicKey = key },
                        var other => other,
                    },
                }));
                Assert.Contains(report.Findings, finding => finding.Kind == FindingKind.Forged && finding.Stream == one.Stream);
            }
        },
        iter: 10, threads: 1);

    [Fact]
    public void CutOff_AnOpenTermsCheckpointsAndWhatTheyList_IsFoundByWhoRemembers()
    {
        // The newest term, its last checkpoint and what only that lists cut off together: nothing that is left says so.
        var found = 0;
        for (var seed = 1; seed < 40; seed++)
        {
            var events = History.Of(seed, 60).Events;
            var last = events.Last(static one => one.Type is "checkpoint");
            if (HasLater(events, last))
            {
                continue;
            }

            var before = History.Verify(events);
            var listed = ((Checkpoint)AuditCodec.Decode(last.Payload).Event).Streams.Select(static head => head.Stream).ToHashSet(StringComparer.Ordinal);
            var cut = events.RemoveAll(one => one == last || (listed.Contains(one.Stream) && !events.Any(other =>
                other != last && other.Type == "checkpoint" && ((Checkpoint)AuditCodec.Decode(other.Payload).Event).Streams.Any(head => head.Stream == one.Stream))));
            var report = History.Verify(cut, new VerifyOptions { Remembered = before.Heads });
            Assert.Contains(report.Findings, finding => finding.Kind == FindingKind.CutOff && finding.Stream == last.Stream);
            found++;
        }

        Assert.True(found > 5);
    }

    private static bool HasLater(IEnumerable<StoredEvent> events, StoredEvent checkpoint) =>
        events.Any(one => one.Stream == checkpoint.Stream && one.Version > checkpoint.Version);

    private static bool HasLaterTerm(History history, string stream)
    {
        var slash = stream.LastIndexOf('/');
        var next = long.Parse(stream[(slash + 1)..], System.Globalization.CultureInfo.InvariantCulture) + 1;
        return history.Events.Any(one => one.Stream == $"{stream[..slash]}/{next}");
    }
}
