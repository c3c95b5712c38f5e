using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Parallax.Hosting.Http;
using Parallax.Router;
using Parallax.Router.Api;
using Parallax.Router.Api.Requests;
using Parallax.Router.Generation;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing;
using Parallax.Worker.Gpu;

namespace Parallax.IntegrationTests.Services;

/// <summary>A router and a worker in this process, over real HTTP and real gRPC on loopback, with a cuttable wire between.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly WorkerModel _workerModel;
    private WebApplication? _worker;

    private TestCluster(RouterModel model, ISessionEngine engine, int layers)
    {
        Model = model;
        Engine = engine;
        _workerModel = new WorkerModel(model.Id, layers);
    }

    public RouterModel Model { get; }

    public ISessionEngine Engine { get; private set; }

    public BreakableProxy Wire { get; private set; } = null!;

    public WebApplication Router { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The model that goes with <see cref="ScriptedEngine"/>: bytes as tokens.</summary>
    public static RouterModel ByteModel(GenerationDefaults? defaults = null)
    {
        var tokenizer = new ByteTokenizer();
        return new RouterModel(
            "demo",
            tokenizer,
            new PromptEncoder(tokenizer, new PlainRenderer()),
            stops => new DetokenizerDecoder(tokenizer, stops),
            defaults ?? new GenerationDefaults { EosTokenIds = [ByteTokenizer.End] },
            DateTimeOffset.UnixEpoch.AddSeconds(5));
    }

    public static Task<TestCluster> StartAsync(
        ScriptedEngine engine, Func<RouterOptions, RouterOptions>? options = null, WorkerLinkOptions? link = null) =>
        StartAsync(ByteModel(), engine, layers: 2, options, link);

    public static async Task<TestCluster> StartAsync(
        RouterModel model, ISessionEngine engine, int layers, Func<RouterOptions, RouterOptions>? options = null, WorkerLinkOptions? link = null)
    {
        var cluster = new TestCluster(model, engine, layers);
        await cluster.StartWorkerAsync();
        cluster.Wire = new BreakableProxy(cluster._worker!.ListeningAddress());

        var routerOptions = new RouterOptions { Workers = [cluster.Wire.Address], Port = 0 };
        var builder = TestHosts.NewBuilder();
        builder.AddRouter(options?.Invoke(routerOptions) ?? routerOptions, model, link ?? new WorkerLinkOptions());
        cluster.Router = builder.Build();
        cluster.Router.MapRouter();
        await cluster.Router.StartAsync(Token);
        // Hanging up means hanging up, not reading on for a while.
        var handler = new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero, MaxResponseDrainSize = 0, MaxConnectionsPerServer = 64 };
        cluster.Http = new HttpClient(handler) { BaseAddress = cluster.Router.ListeningAddress(), Timeout = TimeSpan.FromSeconds(60) };
        await cluster.WhenReadyAsync(HttpStatusCode.OK);
        return cluster;
    }

    /// <summary>Waits until /health/ready says so (the link comes up, or is noticed to be down).</summary>
    public Task WhenReadyAsync(HttpStatusCode status) => Eventually.TrueAsync(async () =>
    {
        using var answer = await Http.GetAsync("/health/ready", Token);
        return answer.StatusCode == status;
    });

    /// <summary>Stops the worker (as its operator would) and starts another one in its place.</summary>
    public async Task RestartWorkerAsync(ISessionEngine engine)
    {
        await StopWorkerAsync();
        Engine = engine;
        await StartWorkerAsync();
        Wire.Target = _worker!.ListeningAddress();
    }

    public async Task StopWorkerAsync()
    {
        if (Interlocked.Exchange(ref _worker, null) is { } worker)
        {
            await worker.StopAsync(Token);
            await worker.DisposeAsync();
        }
    }

    /// <summary>Posts a chat completion; <paramref name="fields"/> are further JSON fields.</summary>
    public Task<HttpResponseMessage> PostAsync(string fields = "", string content = "hi", string? traceParent = null)
    {
        var body = $$"""{"model": "{{Model.Id}}", "messages": [{"role": "user", "content": "{{content}}"}]{{(fields.Length > 0 ? ", " : "")}}{{fields}}}""";
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (traceParent is not null)
        {
            request.Headers.Add("traceparent", traceParent);
        }

        return Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Router.StopAsync(CancellationToken.None);
        await Router.DisposeAsync();
        await Wire.DisposeAsync();
        if (_worker is not null)
        {
            await _worker.StopAsync(CancellationToken.None);
            await _worker.DisposeAsync();
        }

        await Engine.DisposeAsync();
    }

    private async Task StartWorkerAsync()
    {
        var builder = TestHosts.NewBuilder();
        builder.AddWorker(
            new WorkerOptions { Model = AppContext.BaseDirectory, Port = 0, DrainTime = TimeSpan.Zero }, _workerModel, Engine);
        _worker = builder.Build();
        _worker.MapWorker();
        await _worker.StartAsync(Token);
    }

    private sealed class PlainRenderer : IPromptRenderer
    {
        public string Render(IReadOnlyList<ChatMessage> messages, DateTimeOffset now) => messages.Any(static m => m.Role == "tool")
            ? throw ApiException.Invalid("messages", "No tools here.", "chat_template_error")
            : $"<|begin|>{string.Concat(messages.Select(static m => $"{m.Role}: {m.Content}\n"))}";
    }
}
