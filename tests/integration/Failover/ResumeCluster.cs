using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Parallax.Hosting.Http;
using Parallax.IntegrationTests.Services;
using Parallax.Router;
using Parallax.Router.Idempotency;
using Parallax.Router.Routing;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu;

namespace Parallax.IntegrationTests.Failover;

/// <summary>A worker and two routers that know nothing of each other, in this process, over real sockets.</summary>
internal sealed class ResumeCluster : IAsyncDisposable
{
    private const int Routers = 2;
    private readonly List<WebApplication> _routers = [];
    private readonly List<HttpClient> _clients = [];
    private readonly RouterModel _model;
    private WebApplication? _worker;

    private ResumeCluster(RouterModel model) => _model = model;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="model">The routers' model.</param>
    /// <param name="layers">Its layers.</param>
    /// <param name="engine">The worker's engine; stays the caller's.</param>
    /// <param name="retainIds">How long the worker keeps the ids of ended sessions; null for the default.</param>
    /// <param name="otherModel">What the second router takes for the model; null: the same.</param>
    public static async Task<ResumeCluster> StartAsync(
        RouterModel model, int layers, ISessionEngine engine, TimeSpan? retainIds = null, RouterModel? otherModel = null)
    {
        var cluster = new ResumeCluster(model);
        var options = new WorkerOptions { Model = AppContext.BaseDirectory, Port = 0, DrainTime = TimeSpan.Zero };
        options = retainIds is { } time ? options with { RetainIds = time } : options;
        var builder = TestHosts.NewBuilder();
        builder.AddWorker(options, new WorkerModel(model.Id, layers), engine);
        cluster._worker = builder.Build();
        cluster._worker.MapWorker();
        await cluster._worker.StartAsync(Token);
        for (var i = 0; i < Routers; i++)
        {
            builder = TestHosts.NewBuilder();
            builder.AddRouter(
                new RouterOptions { Workers = [cluster._worker.ListeningAddress()], Port = 0, DrainTime = TimeSpan.Zero }, i == 0 ? model : otherModel ?? model);
            var router = builder.Build();
            router.MapRouter();
            await router.StartAsync(Token);
            cluster._routers.Add(router);
            // Hanging up means hanging up, not reading on for a while.
            var handler = new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero, MaxResponseDrainSize = 0 };
            var http = new HttpClient(handler) { BaseAddress = router.ListeningAddress(), Timeout = TimeSpan.FromSeconds(60) };
            cluster._clients.Add(http);
            await Eventually.TrueAsync(async () =>
            {
                using var answer = await http.GetAsync("/health/ready", Token);
                return answer.IsSuccessStatusCode;
            });
        }

        return cluster;
    }

    /// <summary>Where the worker listens.</summary>
    public Uri WorkerAddress => _worker!.ListeningAddress();

    /// <summary>Sessions that a router's links still hold.</summary>
    public int HeldSessions(int router) => _routers[router].Services.GetRequiredService<WorkerDirectory>().Links.Sum(static link => link.SessionCount);

    /// <summary>Answers that a router keeps for idempotency keys.</summary>
    public int KeptAnswers(int router) => _routers[router].Services.GetRequiredService<IdempotentAnswers>().Count;

    /// <summary>A chat completion's body.</summary>
    public string Body(string fields, string content = "hi") =>
        $$"""{"model": "{{_model.Id}}", "messages": [{"role": "user", "content": "{{content}}"}]{{(fields.Length > 0 ? ", " : "")}}{{fields}}}""";

    /// <summary>Posts to one of the routers.</summary>
    public Task<HttpResponseMessage> PostAsync(int router, string body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return _clients[router].SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    /// <summary>Reads a stream up to a byte and hangs up; the whole of it when it ends before.</summary>
    public async Task<StreamBytes> ReadAsync(int router, string body, int bytes = int.MaxValue, params (string Name, string Value)[] headers)
    {
        using var response = await PostAsync(router, body, headers);
        Assert.Equal(200, (int)response.StatusCode);
        await using var stream = await response.Content.ReadAsStreamAsync(Token);
        var received = new MemoryStream();
        var buffer = new byte[4096];
        while (received.Length < bytes)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, bytes - received.Length)), Token);
            if (read == 0)
            {
                break;
            }

            received.Write(buffer, 0, read);
        }

        return new StreamBytes(received.ToArray());
    }

    /// <summary>Takes up a stream that was cut, and reads the rest.</summary>
    public Task<StreamBytes> ResumeAsync(int router, string body, StreamBytes cut) =>
        cut.LastId.Length == 0 ? ReadAsync(router, body) : ReadAsync(router, body, int.MaxValue, ("Last-Event-ID", cut.LastId));

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(static http => http.Dispose());
        foreach (var router in _routers)
        {
            await router.StopAsync(CancellationToken.None);
            await router.DisposeAsync();
        }

        if (_worker is not null)
        {
            await _worker.StopAsync(CancellationToken.None);
            await _worker.DisposeAsync();
        }
    }
}
