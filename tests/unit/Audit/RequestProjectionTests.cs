using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Index;

namespace Parallax.UnitTests.Audit;

/// <summary>How a request stands, from its events.</summary>
public sealed class RequestProjectionTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Completed_AfterALoss_HasCountsAndTimes()
    {
        var row = Of(
            ("a", new SegmentOpened("r", "w", 1, null, null)),
            ("a", Samples.Accepted()),
            ("a", new RouteChosen(0, "s", 1, [new StageRecord("w-1", 0, 4), new StageRecord("w-2", 4, 8)], "least time")),
            ("a", new TokensEmitted(0, 0, 4, [1, 2, 3, 4], "0")),
            ("a", new StageLost(0, 1, "w-2", 4, "link")),
            ("a", new Rerouted(0, 2, [new StageRecord("w-1", 0, 4), new StageRecord("w-0", 4, 8)], 1, 2.5)),
            ("a", new TokensEmitted(0, 4, 2, [5, 6], "0")),
            ("a", new RequestCompleted(3, 1, 6, 10, 60)));

        Assert.Equal((RequestStatus.Completed, "demo", "k-1", "127.0.0.1"), (row.Status, row.Model, row.Key, row.Client));
        Assert.Equal((3, 1, 6), (row.PromptTokens, row.CachedTokens, row.CompletionTokens));
        Assert.Equal((1, 1, 1), (row.Segments, row.Losses, row.Reroutes));
        Assert.Equal((10, 60), (row.FirstTokenMilliseconds!.Value, row.Milliseconds!.Value));
        Assert.Equal(["w-0", "w-1", "w-2"], row.Workers);
        Assert.Equal(Start, row.OpenedAt);
        Assert.Equal(Start.AddSeconds(7), row.EndedAt);
    }

    [Fact]
    public void Resumed_ByAnotherRouter_RunsAgainAndCountsTokensOnce()
    {
        var lost = Of(
            ("a", new SegmentOpened("r", "w", 1, null, null)),
            ("a", Samples.Accepted()),
            ("a", new TokensEmitted(0, 0, 4, null, "0")),
            ("a", new RouterLost(4)));
        Assert.Equal((RequestStatus.Lost, 4), (lost.Status, lost.CompletionTokens));

        var resumed = Of(
            ("a", new SegmentOpened("r", "w", 1, null, null)),
            ("a", new TokensEmitted(0, 0, 4, null, "0")),
            ("b", new SegmentOpened("r", "x", 1, PreviousSegment.Unknown, "2")),
            ("b", new TokensEmitted(0, 2, 6, null, "0")),
            ("a", new RouterLost(4)));
        Assert.Equal((RequestStatus.Running, 8, 2), (resumed.Status, resumed.CompletionTokens, resumed.Segments));
    }

    [Fact]
    public void FirstSegment_ComesLast_DoesNotDecide()
    {
        var row = Of(
            ("b", new SegmentOpened("r", "x", 1, PreviousSegment.Unknown, "2")),
            ("b", new RequestFailed(503, "no_workers", "none", 4)),
            ("a", new SegmentOpened("r", "w", 1, null, null)),
            ("a", Samples.Accepted()),
            ("a", new RouterLost(4)));
        Assert.Equal((RequestStatus.Failed, "no_workers", "demo"), (row.Status, row.ErrorCode, row.Model));
    }

    [Fact]
    public void WhatAPayloadSays_IsNotBelievedBeyondLimits()
    {
        var row = Of(
            ("a", new SegmentOpened("r", "w", 1, null, null)),
            ("a", new TokensEmitted(int.MaxValue, 0, 4, null, "0")),
            ("a", new TokensEmitted(-1, 0, 4, null, "0")),
            ("a", new TokensEmitted(0, int.MaxValue, int.MaxValue, null, "0")),
            ("a", new TokensEmitted(1, int.MaxValue, int.MaxValue, null, "0")));
        Assert.Equal(int.MaxValue, row.CompletionTokens);
        Assert.Equal(2, row.Shown.Length);
    }

    private static RequestRow Of(params (string Stream, AuditEvent Event)[] events)
    {
        RequestRow? row = null;
        for (var i = 0; i < events.Length; i++)
        {
            row = RequestProjection.Evolve(row, "r", new AuditRecord(events[i].Stream, i + 1, Start.AddSeconds(i), AuditChain.Origin, events[i].Event));
        }

        return row!;
    }
}
