using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Parallax.Hosting.Http;
using Parallax.Router;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Testing;
using Parallax.Worker.Gpu;

namespace Parallax.IntegrationTests.Services;

/// <summary>
/// A router and several workers that serve layers of one model, in this process, with a cuttable wire to each. The
/// workers' engines are scripted: the head says the tokens, the others hold the session.
/// </summary>
internal sealed class PathCluster : IAsyncDisposable
{
    private const int Layers = 30;
    private readonly List<Member> _members = [];
    private WebApplication _router = null!;
    private HttpClient _http = null!;

    public IReadOnlyList<Member> Members => _members;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>An engine of some layers whose sessions only run, and end when they are told to.</summary>
    public static ScriptedEngine Holding(int start, int end) => new()
    {
        Info = new ScriptedEngine().Info with { Range = new(start, end) },
        Manual = true,
        Answer = static _ => [.. Enumerable.Repeat(0, 100)],
    };

    /// <summary>An engine of the first layers; it gives its answers out by hand.</summary>
    public static ScriptedEngine Head(int end, string text) => new()
    {
        Info = new ScriptedEngine().Info with { Range = new(0, end) },
        Manual = true,
        Answer = _ => [.. text.Select(static c => (int)c), ByteTokenizer.End],
    };

    public static Task<PathCluster> StartAsync(WorkerLinkOptions? link, params ScriptedEngine[] engines) => StartAsync(link, null, engines);

    /// <summary>As the other, with a limit for a request's time.</summary>
    public static async Task<PathCluster> StartAsync(WorkerLinkOptions? link, TimeSpan? requestTime, params ScriptedEngine[] engines)
    {
        var cluster = new PathCluster();
        foreach (var engine in engines)
        {
            var member = new Member { Engine = engine };
            await member.StartAsync();
            cluster._members.Add(member);
        }

        var builder = TestHosts.NewBuilder();
        builder.AddRouter(
            // The last first: the order of the path is found, not given.
            new RouterOptions { Workers = [.. cluster._members.Select(static member => member.Wire.Address).Reverse()], Port = 0, RequestTime = requestTime ?? new RouterOptions().RequestTime },
            TestCluster.ByteModel(),
            link ?? new WorkerLinkOptions());
        cluster._router = builder.Build();
        cluster._router.MapRouter();
        await cluster._router.StartAsync(Token);
        // Hanging up means hanging up, not reading on for a while.
        var handler = new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero, MaxResponseDrainSize = 0 };
        cluster._http = new HttpClient(handler) { BaseAddress = cluster._router.ListeningAddress(), Timeout = TimeSpan.FromSeconds(60) };
        return cluster;
    }

    /// <summary>Sessions that the router still holds at any of its links.</summary>
    public int HeldSessions => _router.Services.GetRequiredService<WorkerDirectory>().Links.Sum(static link => link.SessionCount);

    /// <summary>Places that the router has reserved for sessions, over all stages.</summary>
    public int ReservedPlaces => _router.Services.GetRequiredService<WorkerDirectory>().Ledger.Total;

    /// <summary>Waits until /health/ready says so; its text.</summary>
    public async Task<string> WhenReadyAsync(HttpStatusCode status)
    {
        var text = "";
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await _http.GetAsync("/health/ready", Token);
            text = await answer.Content.ReadAsStringAsync(Token);
            return answer.StatusCode == status;
        });
        return text;
    }

    /// <summary>Waits until the router sees so many workers serve.</summary>
    public Task WhenServingAsync(int workers) => WhenMetricAsync("parallax_router_workers_serving", workers);

    /// <summary>Waits until the router knows of so many sessions, those that wait for a path included.</summary>
    public Task WhenAdmittedAsync(int sessions) => WhenMetricAsync("parallax_router_sessions_running", sessions);

    public Task<HttpResponseMessage> PostAsync(string fields = "\"stream\": true") => PostUntilAsync(Token, fields);

    /// <summary>A client that hangs up when it is cancelled.</summary>
    public Task<HttpResponseMessage> PostUntilAsync(CancellationToken cancellationToken, string fields = "\"stream\": true")
    {
        var body = $$"""{"model": "demo", "messages": [{"role": "user", "content": "hi"}]{{(fields.Length > 0 ? ", " : "")}}{{fields}}}""";
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private Task WhenMetricAsync(string name, int value) => Eventually.TrueAsync(async () =>
        (await _http.GetStringAsync("/metrics", Token)).Contains($"\n{name} {value}\n", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _router.StopAsync(CancellationToken.None);
        await _router.DisposeAsync();
        foreach (var member in _members)
        {
            await member.DisposeAsync();
        }
    }

    /// <summary>One worker and the wire to it.</summary>
    internal sealed class Member : IAsyncDisposable
    {
        private WebApplication? _app;

        public required ScriptedEngine Engine { get; set; }

        public BreakableProxy Wire { get; private set; } = null!;

        public async Task StartAsync()
        {
            var builder = TestHosts.NewBuilder();
            builder.AddWorker(
                new WorkerOptions { Model = AppContext.BaseDirectory, Port = 0, DrainTime = TimeSpan.Zero }, new WorkerModel("demo", Layers), Engine);
            _app = builder.Build();
            _app.MapWorker();
            await _app.StartAsync(Token);
            Wire ??= new BreakableProxy(_app.ListeningAddress());
            Wire.Target = _app.ListeningAddress();
        }

        public async Task StopAsync()
        {
            if (Interlocked.Exchange(ref _app, null) is { } app)
            {
                await app.StopAsync(CancellationToken.None);
                await app.DisposeAsync();
            }
        }

        /// <summary>Cuts the wire and keeps it cut.</summary>
        public void Cut()
        {
            Wire.IsClosed = true;
            Wire.Break();
        }

        /// <summary>Another process in this one's place, which knows nothing of before; the wire is cut meanwhile.</summary>
        public async Task ReplaceAsync(ScriptedEngine engine)
        {
            Cut();
            await StopAsync();
            Engine = engine;
            await StartAsync();
            Wire.IsClosed = false;
        }

        public async ValueTask DisposeAsync()
        {
            await Wire.DisposeAsync();
            await StopAsync();
            await Engine.DisposeAsync();
        }
    }
}
