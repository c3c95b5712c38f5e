using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Parallax.Contracts.V1;
using Parallax.Hosting.Http;
using Parallax.Router;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Worker.Gpu;
using Parallax.Worker.Gpu.Control;

namespace Parallax.IntegrationTests.Services;

/// <summary>
/// A router that knows no worker but those of a map that the test writes, and workers with scripted engines, each behind
/// a cuttable wire; in this process.
/// </summary>
internal sealed class SwarmCluster : IAsyncDisposable, ISwarmView
{
    private readonly List<Member> _members = [];
    private WebApplication _router = null!;
    private HttpClient _http = null!;
    private (SwarmMapSnapshot Map, TaskCompletionSource Changed) _map = (SwarmMapSnapshot.Empty, NewSignal());

    public SwarmMapSnapshot Current => _map.Map;

    public Task Changed => _map.Changed.Task;

    public WorkerDirectory Directory => _router.Services.GetRequiredService<WorkerDirectory>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<SwarmCluster> StartAsync()
    {
        var cluster = new SwarmCluster();
        var builder = TestHosts.NewBuilder();
        builder.Services.AddSingleton<ISwarmView>(cluster);
        builder.AddRouter(new RouterOptions { FollowsSwarm = true, Port = 0 }, TestCluster.ByteModel(), new WorkerLinkOptions());
        cluster._router = builder.Build();
        cluster._router.MapRouter();
        await cluster._router.StartAsync(Token);
        var handler = new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero, MaxResponseDrainSize = 0 };
        cluster._http = new HttpClient(handler) { BaseAddress = cluster._router.ListeningAddress(), Timeout = TimeSpan.FromSeconds(60) };
        return cluster;
    }

    /// <summary>A worker that runs; the map does not name it yet.</summary>
    public async Task<Member> AddAsync(char id, ScriptedEngine engine)
    {
        var member = new Member(new string(id, 40)) { Engine = engine };
        await member.StartAsync();
        _members.Add(member);
        return member;
    }

    /// <summary>The map as it is from now on.</summary>
    public void Publish(params SwarmWorker[] workers)
    {
        var before = _map.Changed;
        _map = (new SwarmMapSnapshot([.. workers]), NewSignal());
        before.SetResult();
    }

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

    public Task<HttpResponseMessage> PostAsync()
    {
        const string Body = """{"model": "demo", "messages": [{"role": "user", "content": "hi"}], "stream": true, "max_tokens": 100}""";
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Body, Encoding.UTF8, "application/json") };
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

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

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>One worker.</summary>
    internal sealed class Member(string id) : IAsyncDisposable
    {
        private readonly List<BreakableProxy> _wires = [];
        private WebApplication? _app;
        private long _sequence;

        public required ScriptedEngine Engine { get; set; }

        public string Id => id;

        /// <summary>The wire that was laid last.</summary>
        public BreakableProxy Wire => _wires[^1];

        /// <summary>Which run of the worker this is; larger each time.</summary>
        public long Incarnation => _app!.Services.GetRequiredService<WorkerState>().Incarnation;

        /// <summary>Its record as a map has it.</summary>
        public SwarmWorker Record(TimeSpan? lease = null, WorkerPhase phase = WorkerPhase.Serving, int sessions = 0, double stepMs = 5)
        {
            var now = TimeProvider.System.GetTimestamp();
            var record = new WorkerRecord
            {
                WorkerId = id,
                Incarnation = Incarnation,
                Sequence = ++_sequence,
                Phase = phase,
                Addresses = { Wire.Address.GetLeftPart(UriPartial.Authority) },
            };
            record.Shards.AddRange(_app!.Services.GetRequiredService<WorkerState>().Shards.Shards.Select(shard => new ServingShard
            {
                Model = new ServedModel { ShardId = shard.Id },
                Sessions = sessions,
                DecodeSteps = { new StepTime { Batch = 64, Milliseconds = stepMs } },
            }));
            return new SwarmWorker(record, now, now + (long)((lease ?? TimeSpan.FromMinutes(5)).TotalSeconds * TimeProvider.System.TimestampFrequency));
        }

        public async Task StartAsync()
        {
            var builder = TestHosts.NewBuilder();
            builder.AddWorker(
                new WorkerOptions { Model = AppContext.BaseDirectory, Port = 0, DrainTime = TimeSpan.Zero, Id = id }, new WorkerModel("demo", 30), Engine);
            _app = builder.Build();
            _app.MapWorker();
            await _app.StartAsync(Token);
            LayWire();
        }

        /// <summary>Another address that leads to the worker.</summary>
        public void LayWire() => _wires.Add(new BreakableProxy(_app!.ListeningAddress()));

        public async Task StopAsync()
        {
            if (Interlocked.Exchange(ref _app, null) is { } app)
            {
                await app.StopAsync(CancellationToken.None);
                await app.DisposeAsync();
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var wire in _wires)
            {
                await wire.DisposeAsync();
            }

            await StopAsync();
            await Engine.DisposeAsync();
        }
    }
}
