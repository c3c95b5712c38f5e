using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Parallax.Bus;
using Parallax.EventStore;
using Parallax.Hosting;
using Parallax.Hosting.Lifetime;
using Parallax.IntegrationTests.Scheduler;
using Parallax.Placement;
using Parallax.Scheduler;
using Parallax.Scheduler.Swarm;
using Parallax.Scheduler.Workflow;
using Parallax.UnitTests.Scheduler;

namespace Parallax.IntegrationTests.Bus;

/// <summary>A scheduler in this process, with its consumers, a store and a swarm of the test's.</summary>
internal sealed class BusScheduler : IAsyncDisposable
{
    private readonly WebApplication _app;

    private BusScheduler(WebApplication app, FakeSwarm swarm)
    {
        _app = app;
        Swarm = swarm;
    }

    public FakeSwarm Swarm { get; }

    public IServiceProvider Services => _app.Services;

    public SchedulerStatus Status => _app.Services.GetRequiredService<SchedulerLoop>().Status;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="bus">As <c>--bus</c> names it.</param>
    /// <param name="store">The event store; stays the test's.</param>
    /// <param name="id">The scheduler's id.</param>
    /// <param name="swarm">The workers; null: nobody.</param>
    public static async Task<BusScheduler> StartAsync(string bus, IEventStore store, string id = "s", FakeSwarm? swarm = null)
    {
        swarm ??= new FakeSwarm();
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        BusLogs.Show(builder.Logging, id);
        builder.Services.AddSingleton(store);
        builder.Services.AddSingleton<ISwarmObserver>(swarm);
        builder.Services.AddSingleton<IPlanPublisher>(swarm);
        builder.Services.AddSingleton<Replan>(ChainPlanner.Replan);
        builder.AddScheduler(new SchedulerOptions { Id = id, Port = 0, Bus = bus, Term = SchedulerHost.SteadyTerm });
        var app = builder.Build();
        app.MapScheduler();
        await app.StartAsync(Token);
        return new BusScheduler(app, swarm);
    }

    public BusOptions Options => _app.Services.GetRequiredService<BusOptions>();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
