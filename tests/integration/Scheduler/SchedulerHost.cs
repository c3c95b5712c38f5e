using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.EventStore.Terms;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.IntegrationTests.Services;
using Parallax.Placement;
using Parallax.Scheduler;
using Parallax.Scheduler.Planning;
using Parallax.Scheduler.Swarm;
using Parallax.UnitTests.Scheduler;
using Client = Parallax.Contracts.V1.Scheduler.SchedulerClient;

namespace Parallax.IntegrationTests.Scheduler;

/// <summary>A scheduler in this process, behind real gRPC, with a swarm and a planner of the test's.</summary>
internal sealed class SchedulerHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;

    private SchedulerHost(WebApplication app, FakeSwarm swarm)
    {
        _app = app;
        Swarm = swarm;
        Address = app.ListeningAddress();
        _channel = GrpcChannel.ForAddress(Address);
        Client = new Client(_channel);
    }

    public FakeSwarm Swarm { get; }

    public Uri Address { get; }

    public Client Client { get; }

    /// <summary>A term that a test which stands still for some seconds does not lose; who stops gives it up at once.</summary>
    public static TermLeaseOptions SteadyTerm { get; } = new() { Lease = TimeSpan.FromMinutes(1) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<SchedulerHost> StartAsync(
        string? store = null, FakeSwarm? swarm = null, Replan? replan = null, SchedulerSettings? settings = null, string id = "s", TimeSpan? planLease = null)
    {
        swarm ??= new FakeSwarm();
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ISwarmObserver>(swarm);
        builder.Services.AddSingleton<IPlanPublisher>(swarm);
        builder.Services.AddSingleton(replan ?? ChainPlanner.Replan);
        builder.Services.AddSingleton(settings ?? new SchedulerSettings());
        builder.AddScheduler(new SchedulerOptions { Id = id, StorePath = store, Port = 0, PlanLease = planLease ?? TimeSpan.FromSeconds(30), Term = SteadyTerm });
        var app = builder.Build();
        app.MapScheduler();
        await app.StartAsync(Token);
        return new SchedulerHost(app, swarm);
    }

    public async Task<GetPlanReply> PlanAsync() => await Client.GetPlanAsync(new GetPlanRequest(), cancellationToken: Token);

    public Task LeadsAsync() => Eventually.TrueAsync(async () => (await PlanAsync()).Leading);

    /// <summary>Waits for a plan, told as <c>1[0,4) 2[4,8)</c>.</summary>
    public Task PlansAsync(string text) => Eventually.TrueAsync(async () => Text((await PlanAsync()).Plan.Record) == text);

    public static string Text(PlanRecord plan) => string.Join(' ', plan.Shards.Select(static shard =>
        $"{int.Parse(shard.WorkerId, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture)}[{shard.LayerStart},{shard.LayerEnd})"));

    public static DeployRequest Deploy(string command, string model, int layers) => new()
    {
        CommandId = command,
        Model = new PlannedModel { Shape = Parallax.Placement.Records.ModelShapes.ToWire(Swarms.Shape(model, layers), canChat: true) },
    };

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
