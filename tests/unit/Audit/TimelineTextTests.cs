using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Index;
using Parallax.Audit.Timeline;
using Parallax.EventStore;

namespace Parallax.UnitTests.Audit;

public sealed class TimelineTextTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Format_TwoSegments_IsATreeWithTimes()
    {
        var first = Segment("audit/request/r/w.1.1", new SegmentOpened("r", "w", 1, null, null), Samples.Accepted(), new TokensEmitted(0, 0, 2, [7, 8], "0"), new RouterLost(2));
        var second = Segment("audit/request/r/x.1.1", new SegmentOpened("r", "x", 1, new PreviousSegment("audit/request/r/w.1.1", 3, AuditChain.Origin), "r/0/1"), new RequestCompleted(3, 0, 5, 10, 50));
        var row = new RequestRow { Id = "r", OpenedAt = Start, Status = RequestStatus.Completed };

        var text = TimelineText.Format(row, [.. first, .. second], static (choice, ids) => $"<{choice}:{string.Join('+', ids)}>\n");

        Assert.Equal(
            """
            request r, completed, 2030-01-02 03:04:05.000 UTC
            ├─ segment 1: router w, term 1
            │  ├─       1.5 ms  accepted from 127.0.0.1, key k-1: model demo (fp-1), 3 prompt tokens, at most 16 tokens, temperature 0.5, seed 7
            │  ├─       3.0 ms  choice 0: tokens 0 to 1: "<0:7+8>\n"
            │  └─       4.5 ms  the router was lost after 2 tokens
            └─ segment 2: router x, term 1, resumed behind event r/0/1; goes on from event 3 of audit/request/r/w.1.1
               └─       1.5 ms  completed: 3 prompt tokens (0 cached), 5 tokens of the answer; first after 10.0 ms, all after 50.0 ms, 100.0 tokens/s

            """,
            text);
    }

    [Fact]
    public void Format_AnEventThatWasTamperedWith_IsSaidAndNotFollowed()
    {
        var events = Segment("audit/request/r/w.1.1", new SegmentOpened("r", "w", 1, null, null), Samples.Accepted());
        events[1] = events[1] with { Payload = "{"u8.ToArray() };
        var text = TimelineText.Format(new RequestRow { Id = "r\e[2J", OpenedAt = Start, Status = RequestStatus.Running }, events, null);
        Assert.Contains("event 2 cannot be read", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', text);
    }

    private static StoredEvent[] Segment(string stream, params AuditEvent[] events)
    {
        var chain = new AuditChain(stream);
        return [.. events.Select((one, i) => chain.Append(one, Start.AddMilliseconds(1.5 * i))).Select(static one => new StoredEvent(one.Stream, one.Number, one.Number, one.Id, one.Type, default, one.Payload))];
    }
}
