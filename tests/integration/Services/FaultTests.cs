using System.Net;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Services;

/// <summary>What goes wrong between client, router and worker, and what each of them sees of it.</summary>
public class FaultTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Client_GoneInMidStream_CancelsTheSession()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine);
        var response = await cluster.PostAsync("\"stream\": true");
        engine.EmitAll(1);
        await using (var answer = new LiveAnswer(response))
        {
            await answer.ReadUntilAsync("a");
        }

        await engine.WhenCancelledAsync(engine.Opened.Single().Session).WaitAsync(Patience, Token);
        await IdleAsync(cluster);
    }

    [Fact]
    public async Task Client_GoneBeforeTheFirstToken_CancelsAllChoices()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine);
        using (await cluster.PostAsync("\"stream\": true, \"n\": 2"))
        {
            Assert.Equal(2, engine.Opened.Count);
        }

        foreach (var opened in engine.Opened)
        {
            await engine.WhenCancelledAsync(opened.Session).WaitAsync(Patience, Token);
        }
    }

    [Fact]
    public async Task Client_ThatDoesNotRead_HoldsTheEngineBack()
    {
        // 1.6 MB of events: far more than the sockets between hold.
        var engine = new ScriptedEngine { Info = BigInfo, Answer = static _ => [.. Enumerable.Repeat((int)'a', 60_000), ByteTokenizer.End] };
        await using var cluster = await TestCluster.StartAsync(engine);
        using var slow = await cluster.PostAsync("\"stream\": true");

        // Others get their answers meanwhile, over the same control stream.
        engine.Answer = static _ => ['b', ByteTokenizer.End];
        Assert.Equal("b", (await (await cluster.PostAsync()).JsonAsync()).Text());

        Assert.InRange(engine.GreatestRunAhead, 1, ScriptedEngine.RunAhead);
        Assert.Equal(60_000, (await slow.StreamAsync()).Text().Length);
    }

    [Fact]
    public async Task Queue_Full_Is429WithRetryAfter()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine, static o => o with { MaxInFlight = 1, MaxQueued = 1 });
        using var running = await cluster.PostAsync("\"stream\": true");
        var waiting = cluster.PostAsync();
        await Eventually.TrueAsync(async () => (await cluster.Http.GetStringAsync("/metrics", Token)).Contains("requests_waiting 1\n", StringComparison.Ordinal));

        using var refused = await cluster.PostAsync();

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal("server_overloaded", (await refused.JsonAsync()).ErrorCode());
        engine.Release();
        running.Dispose();
        Assert.Equal("length", (await (await waiting).JsonAsync()).FinishReason());
    }

    [Theory]
    [InlineData(OpenRefusal.Busy, HttpStatusCode.TooManyRequests)]
    [InlineData(OpenRefusal.TooLong, HttpStatusCode.BadRequest)]
    [InlineData(OpenRefusal.Invalid, HttpStatusCode.BadRequest)]
    [InlineData(OpenRefusal.Stale, HttpStatusCode.InternalServerError)]
    [InlineData(OpenRefusal.Stopping, HttpStatusCode.ServiceUnavailable)]
    public async Task Worker_Refuses_IsAStatusEvenWhenStreamed(OpenRefusal refusal, HttpStatusCode status)
    {
        var engine = Endless();
        engine.Refuse = _ => new OpenResult(0, refusal, "no, because 17 > 16");
        await using var cluster = await TestCluster.StartAsync(engine);

        using var response = await cluster.PostAsync("\"stream\": true");

        Assert.Equal(status, response.StatusCode);
        Assert.Contains("17 > 16", (await response.JsonAsync()).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Engine_Fails_IsAnErrorInBothModes()
    {
        var engine = new ScriptedEngine { Answer = static _ => [.. "abc"u8.ToArray().Select(static b => (int)b)], FailWith = "NaN in layer 3" };
        await using var cluster = await TestCluster.StartAsync(engine);

        using var whole = await cluster.PostAsync();
        var streamed = await (await cluster.PostAsync("\"stream\": true")).StreamAsync();

        Assert.Equal(HttpStatusCode.InternalServerError, whole.StatusCode);
        Assert.Contains("NaN in layer 3", (await whole.JsonAsync()).GetRawText(), StringComparison.Ordinal);
        Assert.Equal("abc", streamed.Text());
        Assert.False(streamed.IsDone);
        Assert.Contains("NaN in layer 3", streamed.Error!.Value.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deadline_Passed_Is504()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine, static o => o with { RequestTime = TimeSpan.FromMinutes(10) });
        var response = cluster.PostAsync();
        await Eventually.TrueAsync(() => engine.ActiveCount == 1);
        Assert.InRange(engine.Opened.Single().TimeLeft!.Value.TotalSeconds, 500, 600);

        engine.ExpireAll();

        Assert.Equal(HttpStatusCode.GatewayTimeout, (await response).StatusCode);
    }

    [Fact]
    public async Task ControlStream_LostInMidStream_LosesAndRepeatsNothing()
    {
        var text = string.Concat(Enumerable.Range(0, 200).Select(static i => $"{i:000} "));
        var engine = new ScriptedEngine { Manual = true, Answer = _ => [.. text.Select(static c => (int)c), ByteTokenizer.End] };
        await using var cluster = await TestCluster.StartAsync(engine);
        var answer = (await cluster.PostAsync("\"stream\": true")).StreamAsync();

        for (var i = 0; i < 10; i++)
        {
            engine.EmitAll(16); // some of it on the wire, some not, when it is cut
            cluster.Wire.Break();
            engine.EmitAll(15);
            await cluster.WhenReadyAsync(HttpStatusCode.OK);
        }

        engine.Release();
        var whole = await answer;
        Assert.Null(whole.Error);
        Assert.Equal(text, whole.Text());
        Assert.Single(engine.Opened);
    }

    [Fact]
    public async Task ControlStream_LostAtTheEnd_StillDeliversTheEnd()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine);
        var answer = (await cluster.PostAsync("\"stream\": true")).StreamAsync();
        cluster.Wire.IsClosed = true;
        cluster.Wire.Break();
        await cluster.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);

        engine.Release(); // the session ends while nobody listens
        cluster.Wire.IsClosed = false;

        Assert.Equal(new string('a', 100), (await answer).Text());
    }

    [Fact]
    public async Task ControlStream_LostAndClientGone_CancelsAfterTheReconnect()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine);
        var response = await cluster.PostAsync("\"stream\": true");
        cluster.Wire.IsClosed = true;
        cluster.Wire.Break();
        await cluster.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);

        response.Dispose();
        Assert.Equal(1, engine.ActiveCount);
        cluster.Wire.IsClosed = false;

        await engine.WhenCancelledAsync(engine.Opened.Single().Session).WaitAsync(Patience, Token);
    }

    [Fact]
    public async Task Worker_Gone_Is503AndNotReady()
    {
        await using var cluster = await TestCluster.StartAsync(Endless());
        await cluster.StopWorkerAsync();
        await cluster.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);

        using var response = await cluster.PostAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("service_unavailable", (await response.JsonAsync()).ErrorCode());
        using var live = await cluster.Http.GetAsync("/health/live", Token);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
    }

    [Fact]
    public async Task Worker_GoneForGood_IsWaitedForUntilTheDeadlineAndThatIsSaid()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(
            engine,
            static options => options with { RequestTime = TimeSpan.FromSeconds(2) },
            new WorkerLinkOptions { GiveUpAfter = TimeSpan.FromMilliseconds(300) });
        var response = await cluster.PostAsync("\"stream\": true");
        engine.EmitAll(1);
        cluster.Wire.IsClosed = true;
        cluster.Wire.Break();

        var answer = await response.StreamAsync();

        Assert.Contains("time", answer.Error!.Value.GetProperty("message").GetString(), StringComparison.Ordinal);
        await IdleAsync(cluster);
    }

    [Fact]
    public async Task Worker_StoppedInMidStreamWithoutAnother_EndsTheAnswerAtItsDeadline()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine, static options => options with { RequestTime = TimeSpan.FromSeconds(3) });
        var response = await cluster.PostAsync("\"stream\": true");
        engine.EmitAll(3);
        await using var live = new LiveAnswer(response);
        await live.ReadUntilAsync("aaa");

        await cluster.StopWorkerAsync();
        var answer = await live.ReadToEndAsync();

        Assert.Equal("aaa", answer.Text());
        Assert.NotNull(answer.Error);
        Assert.False(answer.IsDone);
    }

    [Fact]
    public async Task Worker_KilledAndRestartedBeforeTheFirstToken_AnswersAllTheSame()
    {
        var first = Endless();
        await using var cluster = await TestCluster.StartAsync(first);
        var answer = (await cluster.PostAsync("\"stream\": true")).StreamAsync();
        cluster.Wire.IsClosed = true; // the router sees a cut, not a farewell
        cluster.Wire.Break();
        await cluster.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);

        var second = new ScriptedEngine { Answer = static _ => ['b', ByteTokenizer.End] };
        await cluster.RestartWorkerAsync(second);
        cluster.Wire.IsClosed = false;

        Assert.Equal("b", (await answer).Text());
        Assert.True(second.Opened.Last().Epoch.N >= 1);
    }

    [Fact]
    public async Task Worker_KilledAndRestartedAfterTokens_GoesOnFromThere()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine);
        var response = await cluster.PostAsync("\"stream\": true");
        engine.EmitAll(2);
        await using var live = new LiveAnswer(response);
        await live.ReadUntilAsync("aa");
        cluster.Wire.IsClosed = true;
        cluster.Wire.Break();
        var second = Endless();
        await cluster.RestartWorkerAsync(second);
        cluster.Wire.IsClosed = false;
        await Eventually.TrueAsync(() => second.ActiveCount == 1);
        second.Release();

        var answer = await live.ReadToEndAsync();

        Assert.Null(answer.Error);
        Assert.Equal(new string('a', 100), answer.Text());
        Assert.Equal(["a", "a"], second.Opened.Last().AnswerTokenIds.Select(static id => ((char)id).ToString()));
    }

    [Fact]
    public async Task Leases_OfALongAnswer_AreRenewed()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine, link: new WorkerLinkOptions { RenewEvery = TimeSpan.FromMilliseconds(20) });
        using var response = await cluster.PostAsync("\"stream\": true");

        await Eventually.TrueAsync(() => engine.Renewals > 3);
    }

    [Fact]
    public async Task Watch_SilentWorkerThatAnswersProbes_IsWaitedFor()
    {
        var engine = Endless();
        var watch = new WatchLimits(TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1));
        await using var cluster = await TestCluster.StartAsync(engine, link: new WorkerLinkOptions { WatchEvery = TimeSpan.FromMilliseconds(10), Watch = watch });
        var answer = (await cluster.PostAsync("\"stream\": true")).StreamAsync();
        var before = engine.StatsReads;
        await Eventually.TrueAsync(() => engine.StatsReads > before + 20); // probes read the counters

        engine.Release();
        Assert.True((await answer).IsDone);
    }

    [Fact]
    public async Task Router_Stopped_EndsAnswersAndSaysSo()
    {
        var engine = Endless();
        await using var cluster = await TestCluster.StartAsync(engine, static o => o with { DrainTime = TimeSpan.Zero });
        var response = await cluster.PostAsync("\"stream\": true");

        var stopping = cluster.Router.StopAsync(Token);
        var answer = await response.StreamAsync();

        Assert.Contains("stopping", answer.Error!.Value.GetProperty("message").GetString(), StringComparison.Ordinal);
        await stopping;
        await engine.WhenCancelledAsync(engine.Opened.Single().Session).WaitAsync(Patience, Token);
    }

    /// <summary>Answers of 100 a's, given out by hand.</summary>
    private static ScriptedEngine Endless() => new() { Manual = true, Answer = static _ => [.. Enumerable.Repeat((int)'a', 100)] };

    private static EngineInfo BigInfo => new ScriptedEngine().Info with { ContextLimit = 100_000 };

    private static Task IdleAsync(TestCluster cluster) => Eventually.TrueAsync(async () =>
        (await cluster.Http.GetStringAsync("/metrics", Token)).Contains("sessions_running 0\n", StringComparison.Ordinal));
}
