using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Hosting.Stages;
using Parallax.Router;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Services;

/// <summary>What the router says to the workers of a path and makes of what they say, message by message.</summary>
public sealed class PathWireTests : IAsyncLifetime
{
    private readonly List<FakeWorker> _workers = [];
    private WebApplication? _router;
    private HttpClient _http = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_router is not null)
        {
            await _router.StopAsync(CancellationToken.None);
            await _router.DisposeAsync();
        }

        foreach (var worker in _workers)
        {
            await worker.DisposeAsync();
        }
    }

    [Fact]
    public async Task Open_OverTwoWorkers_NamesTheRing()
    {
        var tail = await AddAsync("t", 20, FakeWorker.Serves("demo", 2, 4, 4));
        var head = await AddAsync("h", 10, FakeWorker.Serves("demo", 0, 2, 4, context: 1000));
        head.Reply = SayAtOnce;
        await StartRouterAsync(map: null, links: null);
        await WhenReadyAsync(HttpStatusCode.OK);

        Assert.Equal("a", (await AskAsync()).Text());
        Assert.Equal("a", (await AskAsync()).Text());

        await Eventually.TrueAsync(() => tail.Received.Count(static m => m.Cancel is not null) == 2);
        var (toHead, toTail) = (Opens(head), Opens(tail));
        Assert.Equal((2, 2), (toHead.Count, toTail.Count));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal([(0, 0L), (1, 0L)], new[] { toHead[i], toTail[i] }.Select(static open => (open.Stage, open.Session.Incarnation)));
            var differing = toTail[i].Clone();
            differing.Stage = 0;
            differing.TimeLeftMs = toHead[i].TimeLeftMs;
            Assert.Equal(toHead[i], differing);
            Assert.Equal(
                [("h", Authority(head), 0, 2), ("t", Authority(tail), 2, 4)],
                toHead[i].Path.Select(static stage => (stage.Worker, stage.Address, stage.LayerStart, stage.LayerEnd)));
            Assert.Equal("0123456789abcdef", toHead[i].WeightsHash);
            Assert.Equal("fake", toHead[i].NumericClass.Backend);
            Assert.True(toHead[i].Sampling.MaxTokens < 1000, "the context is the shortest of the path's");
        }

        Assert.True(toHead[1].Arrival > toHead[0].Arrival);
        Assert.Equal([(10L, 20L, 16)], Starts(head).Distinct());
        Assert.Equal([(20L, 10L, 16)], Starts(tail).Distinct());
        Assert.All(tail.Received.Where(static m => m.Cancel is not null), static m => Assert.Equal(20, m.Cancel.Session.Incarnation));
        Assert.DoesNotContain(tail.Received, static m => m.Acknowledge is not null || m.Rejoin is not null || m.Probe is not null);
    }

    [Fact]
    public async Task Open_OverOneWorker_NamesNoRing()
    {
        var worker = await AddAsync("w", 10, FakeWorker.Serves("demo", 0, 4, 4));
        worker.Reply = SayAtOnce;
        await StartRouterAsync(map: null, links: null);
        await WhenReadyAsync(HttpStatusCode.OK);

        Assert.Equal("a", (await AskAsync()).Text());

        Assert.Empty(Assert.Single(Opens(worker)).Path);
        Assert.Equal([(10L, 0L, 16)], Starts(worker));
    }

    [Fact]
    public async Task Map_Links_AreWhereStagesDialEachOther()
    {
        var head = await AddAsync("h", 10, FakeWorker.Serves("demo", 0, 2, 4));
        await AddAsync("t", 20, FakeWorker.Serves("demo", 2, 4, 4));
        head.Reply = SayAtOnce;
        await StartRouterAsync(map: ["h", "t"], links: new Uri("http://10.9.8.7:7101"));
        await WhenReadyAsync(HttpStatusCode.OK);

        await AskAsync();

        Assert.All(Assert.Single(Opens(head)).Path, static stage => Assert.Equal("http://10.9.8.7:7101", stage.Address));
    }

    [Fact]
    public async Task Map_AWorkerOfAnotherId_IsNotUsedAndIsNamed()
    {
        await AddAsync("somebody", 10, FakeWorker.Serves("demo", 0, 4, 4));
        await StartRouterAsync(map: ["h"], links: null);

        await Eventually.TrueAsync(async () => (await ReadinessAsync()).Text.Contains("calls itself", StringComparison.Ordinal));

        var (status, text) = await ReadinessAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("somebody", text, StringComparison.Ordinal);
        using var refused = await PostAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
    }

    [Fact]
    public async Task Serving_OtherModels_ChangesWhatThereIsAtOnce()
    {
        var worker = await AddAsync("w", 10);
        worker.Reply = SayAtOnce;
        await StartRouterAsync(map: null, links: null);
        await Eventually.TrueAsync(async () => (await ReadinessAsync()).Text.Contains("serves no model", StringComparison.Ordinal));

        worker.Say(new WorkerMessage { Serving = new Serving { Models = { FakeWorker.Serves("other", 0, 4, 4), FakeWorker.Serves("demo", 0, 2, 4) } } });
        await Eventually.TrueAsync(async () => (await ReadinessAsync()).Text.Contains("[2,4)", StringComparison.Ordinal));

        worker.Say(new WorkerMessage { Serving = new Serving { Models = { FakeWorker.Serves("other", 0, 4, 4), FakeWorker.Serves("demo", 0, 4, 4) } } });
        await WhenReadyAsync(HttpStatusCode.OK);
        Assert.Equal("a", (await AskAsync()).Text());

        worker.Say(new WorkerMessage { Serving = new Serving() });
        await WhenReadyAsync(HttpStatusCode.ServiceUnavailable);
        Assert.Equal(1, worker.StreamCount);
    }

    /// <summary>A head that answers "a" as soon as it is started.</summary>
    private static IEnumerable<WorkerMessage> SayAtOnce(RouterMessage message)
    {
        if (message.Start is { Session: var session })
        {
            yield return new WorkerMessage { Tokens = new Tokens { Session = session, Ids = { 'a', ByteTokenizer.End } } };
            yield return new WorkerMessage { Finished = new Finished { Session = session, Reason = FinishReason.Stop, GeneratedTokens = 2 } };
        }
    }

    private static List<Open> Opens(FakeWorker worker) => [.. worker.Received.Where(static m => m.Open is not null).Select(static m => m.Open)];

    private static List<(long Incarnation, long Next, int Keep)> Starts(FakeWorker worker) =>
        [.. worker.Received.Where(static m => m.Start is not null).Select(static m => (m.Start.Session.Incarnation, m.Start.NextIncarnation, m.Start.Keep))];

    private static string Authority(FakeWorker worker) => worker.Address.GetLeftPart(UriPartial.Authority);

    private async Task<FakeWorker> AddAsync(string id, long incarnation, params ServedModel[] models)
    {
        var worker = await FakeWorker.StartAsync(id, incarnation, models);
        _workers.Add(worker);
        return worker;
    }

    private async Task StartRouterAsync(string[]? map, Uri? links)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Logging.ClearProviders();
        builder.AddRouter(
            map is null
                ? new RouterOptions { Workers = [.. _workers.Select(static worker => worker.Address)], Port = 0 }
                : new RouterOptions
                {
                    Stages = new StageMap([.. _workers.Select((worker, i) => new StageMapEntry(map[i], worker.Address, new LayerRange(0, 1), links ?? worker.Address))]),
                    Port = 0,
                },
            TestCluster.ByteModel());
        _router = builder.Build();
        _router.MapRouter();
        await _router.StartAsync(Token);
        _http.Dispose();
        _http = new HttpClient { BaseAddress = _router.ListeningAddress(), Timeout = TimeSpan.FromSeconds(60) };
    }

    private async Task<(HttpStatusCode Status, string Text)> ReadinessAsync()
    {
        using var answer = await _http.GetAsync("/health/ready", Token);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Token));
    }

    private Task WhenReadyAsync(HttpStatusCode status) => Eventually.TrueAsync(async () => (await ReadinessAsync()).Status == status);

    private Task<HttpResponseMessage> PostAsync()
    {
        const string Body = """{"model": "demo", "messages": [{"role": "user", "content": "What is the capital of France?"}]}""";
        return _http.PostAsync("/v1/chat/completions", new StringContent(Body, Encoding.UTF8, "application/json"), Token);
    }

    private async Task<System.Text.Json.JsonElement> AskAsync()
    {
        var response = await PostAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.JsonAsync();
    }
}
