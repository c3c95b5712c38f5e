using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;
using Parallax.Router.Access;
using Parallax.Router.Access.Quotas;

namespace Parallax.UnitTests.Router.Access;

public class SharedUsageTests
{
    private const string Own = "1111111111111111111111111111111111111111";
    private const string Other = "2222222222222222222222222222222222222222";

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 26, 10, 0, 0, TimeSpan.Zero));
    private readonly QuotaLedger _ledger;
    private readonly SharedUsage _usage;
    private readonly Dictionary<string, AuditChain> _chains = [];

    public SharedUsageTests()
    {
        _ledger = new QuotaLedger(_clock);
        var mark = OwnStreams.Mark(Own, 3);
        _usage = new SharedUsage(_ledger, stream => stream[(stream.LastIndexOf('/') + 1)..].StartsWith(mark, StringComparison.Ordinal), static key => key == "1");
    }

    [Fact]
    public void Apply_RequestElsewhere_SetsAsideWhatItMayUse_AndCountsWhatItUsed()
    {
        var stream = AuditStreams.Segment("r", Other, 1, 1);
        Say(stream, Opened());
        Say(stream, Accepted());
        Assert.Equal((9L, 1000L - (5 + (2 * 100))), Left());
        Say(stream, Emitted(3));
        Say(stream, Emitted(4));
        Say(stream, new RequestCompleted(5, 0, 7, 1, 1));
        Assert.Equal((9L, 1000L - (5 + 7)), Left());
        Assert.Equal(0, _usage.OpenCount);
    }

    [Fact]
    public void Apply_OwnRequest_IsCountedAlready()
    {
        var stream = AuditStreams.Segment("r", Own, 3, 1);
        Say(stream, Opened());
        Say(stream, Accepted());
        Assert.Equal((10L, 1000L), Left());
    }

    [Fact]
    public void Apply_RequestOfAnEarlierRunOfThisRouter_Counts()
    {
        foreach (var term in (long[])[2, 30])
        {
            var stream = AuditStreams.Segment("r", Own, term, 1);
            Say(stream, Opened());
            Say(stream, Accepted());
            Say(stream, new RouterLost(0));
        }

        Assert.Equal((8L, 1000L - 10), Left());
    }

    [Fact]
    public void Apply_ResumedRequest_CountsOnlyWhatItShowsAnew()
    {
        var stream = AuditStreams.Segment("r", Other, 1, 1);
        Say(stream, Opened() with { ResumedFrom = "event" });
        Say(stream, Accepted());
        Say(stream, Emitted(4));
        Say(stream, new RequestCancelled(4));
        Assert.Equal(1000L - 4, Left().Tokens);
    }

    [Fact]
    public void Apply_RequestOfNobodyOrOfYesterday_IsLetGo()
    {
        var nobody = AuditStreams.Segment("r", Other, 1, 1);
        Say(nobody, Opened());
        Say(nobody, Accepted() with { Key = "" });
        var old = AuditStreams.Segment("r", Other, 1, 2);
        Say(old, Opened(), TimeSpan.FromDays(-1));
        Say(old, Accepted(), TimeSpan.FromDays(-1));
        Assert.Equal((10L, 1000L), Left());
        Assert.Equal(0, _usage.OpenCount);
    }

    [Fact]
    public void Apply_ManyThatNeverEnd_HoldsOnlySomeMany()
    {
        for (var i = 0; i < SharedUsage.MaxOpen + 10; i++)
        {
            Say(AuditStreams.Segment($"r{i}", Other, 1, i), Opened());
        }

        Assert.Equal(SharedUsage.MaxOpen, _usage.OpenCount);
    }

    [Fact]
    public void Apply_OtherStreamsAndTheMiddleOfRequests_AreNothing()
    {
        _usage.Apply(new StoredEvent("plans", 1, 1, Guid.NewGuid(), "x", default, "no json"u8.ToArray()));
        _usage.Apply(new StoredEvent(AuditStreams.Segment("r", Other, 1, 1), 5, 2, Guid.NewGuid(), "x", default, "no json"u8.ToArray()));
        Assert.Equal(0, _usage.OpenCount);
    }

    /// <summary>Halving finds the first event of a time among positions with gaps.</summary>
    [Fact]
    public void DayStart_AnyPositions_IsWhereTheTimeBegins()
    {
        Gen.Select(Gen.Int[1, 1000].Array[0, 40], Gen.Int[0, 40]).Sample(static (gaps, before) =>
        {
            var since = new DateTimeOffset(2026, 11, 26, 0, 0, 0, TimeSpan.Zero);
            var position = 0L;
            (long Position, DateTimeOffset At)[] events = [.. gaps.Select((gap, i) => (position += gap, since.AddMinutes(i - before)))];
            var found = DayStart.FindAsync(since, after => Task.FromResult(
                events.Where(one => one.Position > after).Select(static one => ((long, DateTimeOffset)?)one).FirstOrDefault())).GetAwaiter().GetResult();
            Assert.Equal(events.Where(one => one.At < since).Select(static one => one.Position).DefaultIfEmpty(0).Max(), found);
        });
    }

    private static SegmentOpened Opened() => new("r", Other, 1, null, null);

    private static RequestAccepted Accepted() => new(
        "m", "w", "c", "f", "1", "1", Choices: 2, IsStream: true, PromptTokens: 5, null, "h", null, null,
        new SamplingRecord(1, 1, 0, 1, 0, 1, 0, 0, 0, MaxTokens: 100, null, [], []), null);

    private static TokensEmitted Emitted(int count) => new(0, 0, count, null, "h");

    private (long Requests, long Tokens) Left()
    {
        var standing = _ledger.Standing(QuotaLedgerTests.Key(requests: 10, tokens: 1000));
        return (standing.Requests!.Value.Remaining, standing.Tokens!.Value.Remaining);
    }

    private void Say(string stream, AuditEvent happened, TimeSpan ago = default)
    {
        if (!_chains.TryGetValue(stream, out var chain))
        {
            _chains[stream] = chain = new AuditChain(stream);
        }

        var chained = chain.Append(happened, _clock.GetUtcNow() + ago);
        _usage.Apply(new StoredEvent(stream, chained.Number, 1, chained.Id, chained.Type, _clock.GetUtcNow(), chained.Payload));
    }
}
