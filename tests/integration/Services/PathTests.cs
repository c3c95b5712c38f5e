using System.Net;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.IntegrationTests.Services;

/// <summary>A model cut over three workers, as the router deals with it: one head that says tokens, two that hold.</summary>
public class PathTests
{
    private static readonly string Text = new('x', 60);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answer_OverThreeWorkers_OpensAtAllAndFreesAll()
    {
        await using var cluster = await StartAsync();
        cluster.Members[0].Engine.Release();

        using var response = await cluster.PostAsync("\"stream\": true, \"n\": 2");
        var answer = await response.StreamAsync();

        Assert.Equal((Text, Text), (answer.Text(), answer.Text(1)));
        Assert.True(answer.IsDone);
        var opened = cluster.Members[0].Engine.Opened.ToList();
        Assert.Equal(2, opened.Count);
        foreach (var member in cluster.Members.Skip(1))
        {
            Assert.Equal(opened.Select(static open => (open.Session, open.Epoch)), member.Engine.Opened.Select(static open => (open.Session, open.Epoch)));
            await Task.WhenAll(opened.Select(open => member.Engine.WhenCancelledAsync(open.Session).WaitAsync(Token)));
        }

        await Eventually.TrueAsync(() => cluster.HeldSessions == 0);
    }

    [Fact]
    public async Task Readiness_WithoutAWorkerOfSomeLayers_NamesThem()
    {
        await using var cluster = await StartAsync();

        cluster.Members[1].Cut();

        var problem = await cluster.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);
        Assert.Contains("[10,20) of ", problem, StringComparison.Ordinal);
        Assert.Contains("served by no connected worker", problem, StringComparison.Ordinal);
        await cluster.WhenServingAsync(2);
        using var refused = await cluster.PostAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);

        cluster.Members[1].Wire.IsClosed = false;
        await cluster.WhenReadyAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Refusal_OfTheMiddle_IsTheAnswersAndFreesTheOthers()
    {
        await using var cluster = await StartAsync();
        cluster.Members[1].Engine.Refuse = static _ => new OpenResult(0, OpenRefusal.Busy, "64 of 64 sessions are taken");

        using var response = await cluster.PostAsync();

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        var text = (await response.JsonAsync()).GetRawText();
        Assert.Contains("64 of 64", text, StringComparison.Ordinal);
        Assert.Contains("layers [10,20)", text, StringComparison.Ordinal);
        await IdleAsync(cluster);
    }

    [Fact]
    public async Task Failure_OfTheTail_EndsTheAnswerWithItsReason()
    {
        var tail = PathCluster.Holding(20, 30);
        tail.Answer = static _ => [];
        tail.FailWith = "NaN in layer 27";
        await using var cluster = await PathCluster.StartAsync(null, PathCluster.Head(10, Text), PathCluster.Holding(10, 20), tail);
        await cluster.WhenReadyAsync(HttpStatusCode.OK);

        using var response = await cluster.PostAsync("");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Contains("NaN in layer 27", (await response.JsonAsync()).GetRawText(), StringComparison.Ordinal);
        await IdleAsync(cluster);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task ControlStream_OfAnyStageLostAgainAndAgain_LosesAndRepeatsNothing(int stage)
    {
        await using var cluster = await StartAsync();
        var answer = (await cluster.PostAsync()).StreamAsync();

        for (var i = 0; i < 5; i++)
        {
            cluster.Members[0].Engine.EmitAll(5);
            cluster.Members[stage].Wire.Break();
            cluster.Members[0].Engine.EmitAll(5);
            await cluster.WhenReadyAsync(HttpStatusCode.OK);
        }

        cluster.Members[0].Engine.Release();
        Assert.Equal(Text, (await answer).Text());
        Assert.All(cluster.Members, static member => Assert.Single(member.Engine.Opened));
        await IdleAsync(cluster);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Worker_OfAnyStageReplacedBeforeTheFirstToken_AnswersAllTheSame(int stage)
    {
        await using var cluster = await StartAsync();
        var answer = (await cluster.PostAsync()).StreamAsync();
        await Eventually.TrueAsync(() => cluster.Members.All(static member => member.Engine.ActiveCount == 1));

        await cluster.Members[stage].ReplaceAsync(stage == 0 ? PathCluster.Head(10, Text) : PathCluster.Holding(stage * 10, (stage * 10) + 10));
        await Eventually.TrueAsync(() => cluster.Members.All(static member => member.Engine.Opened.LastOrDefault()?.Epoch.N >= 1));
        cluster.Members[0].Engine.Release();

        Assert.Equal(Text, (await answer).Text());
        await IdleAsync(cluster);
    }

    [Fact]
    public async Task Worker_OfTheMiddleReplacedInMidAnswer_GoesOnFromThere()
    {
        await using var cluster = await StartAsync();
        var response = await cluster.PostAsync();
        cluster.Members[0].Engine.EmitAll(2);
        await using var live = new LiveAnswer(response);
        await live.ReadUntilAsync("xx");

        await cluster.Members[1].ReplaceAsync(PathCluster.Holding(10, 20));
        await Eventually.TrueAsync(() => cluster.Members.All(static member => member.Engine.Opened.LastOrDefault()?.Epoch.N >= 1));
        cluster.Members[0].Engine.Release();
        var answer = await live.ReadToEndAsync();

        Assert.Null(answer.Error);
        Assert.Equal(Text, answer.Text());
        Assert.Equal(2, cluster.Members[1].Engine.Opened.Last().AnswerTokenIds.Length);
        await IdleAsync(cluster);
    }

    [Fact]
    public async Task Worker_OfTheMiddleGoneForGood_EndsTheAnswerAtItsDeadlineAndFreesTheOthers()
    {
        await using var cluster = await StartAsync(new WorkerLinkOptions { GiveUpAfter = TimeSpan.FromMilliseconds(300) }, TimeSpan.FromSeconds(2));
        var response = await cluster.PostAsync();
        cluster.Members[0].Engine.EmitAll(1);

        cluster.Members[1].Cut();
        var answer = await response.StreamAsync();

        Assert.Contains("time", answer.Error!.Value.GetProperty("message").GetString(), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => cluster.HeldSessions == 0);
        await Eventually.TrueAsync(() => cluster.Members[0].Engine.ActiveCount == 0 && cluster.Members[2].Engine.ActiveCount == 0);
    }

    [Fact]
    public async Task Client_Gone_CancelsAtAllStagesAlsoThatWhichIsAway()
    {
        await using var cluster = await StartAsync();
        var response = await cluster.PostAsync();
        cluster.Members[0].Engine.EmitAll(1);
        await using (var live = new LiveAnswer(response))
        {
            await live.ReadUntilAsync("x");
            cluster.Members[2].Cut();
            await cluster.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);
        }

        await Eventually.TrueAsync(() => cluster.Members[0].Engine.ActiveCount == 0 && cluster.Members[1].Engine.ActiveCount == 0);
        Assert.Equal(1, cluster.Members[2].Engine.ActiveCount);
        cluster.Members[2].Wire.IsClosed = false;
        await IdleAsync(cluster);
    }

    [Fact]
    public async Task Leases_OfALongAnswer_AreRenewedAtAllStages()
    {
        await using var cluster = await StartAsync(new WorkerLinkOptions { RenewEvery = TimeSpan.FromMilliseconds(20) });
        using var response = await cluster.PostAsync();

        await Eventually.TrueAsync(() => cluster.Members.All(static member => member.Engine.Renewals > 3));
    }

    private static async Task<PathCluster> StartAsync(WorkerLinkOptions? link = null, TimeSpan? requestTime = null)
    {
        var cluster = await PathCluster.StartAsync(link, requestTime, PathCluster.Head(10, Text), PathCluster.Holding(10, 20), PathCluster.Holding(20, 30));
        await cluster.WhenReadyAsync(HttpStatusCode.OK);
        return cluster;
    }

    /// <summary>Nothing is left, neither at the router nor at a worker.</summary>
    private static Task IdleAsync(PathCluster cluster) => Eventually.TrueAsync(() =>
        cluster.HeldSessions == 0 && cluster.Members.All(static member => member.Engine.ActiveCount == 0));
}
