using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Parallax.Bus;
using Parallax.EventStore;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Placement;
using Parallax.Scheduler.Grpc;
using Parallax.Scheduler.Observability;
using Parallax.Scheduler.Planning;
using Parallax.Scheduler.Swarm;
using Parallax.Scheduler.Workflow;
using Parallax.Swarm.Members;

namespace Parallax.Scheduler;

/// <summary>Puts a scheduler into a host.</summary>
public static class SchedulerHosting
{
    /// <summary>
    /// Adds the scheduler's services and its gRPC endpoint. <see cref="ISwarmObserver"/>, <see cref="IPlanPublisher"/> and
    /// <see cref="IEventStore"/> are taken from the host when they are registered, before or after; a store that is not is opened as
    /// the options say, and a scheduler without the first two is in no swarm.
    /// </summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public static WebApplicationBuilder AddScheduler(this WebApplicationBuilder builder, SchedulerOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        builder.AddSchedulerCore(options);
        builder.Listen(IPAddress.Parse(options.Bind), options.Port, HttpProtocols.Http2);
        return builder;
    }

    /// <summary>The same for a host that listens already.</summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public static WebApplicationBuilder AddSchedulerCore(this WebApplicationBuilder builder, SchedulerOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        OptionsException.ThrowIfAny(options.Validate());
        var services = builder.Services;
        services.AddSingleton(options);
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new SchedulerSettings());
        services.TryAddSingleton<Replan>(Allocator.Replan);
        services.TryAddSingleton<IEventStore>(provider => OpenStore(options, provider));
        services.TryAddSingleton<NoSwarm>();
        if (options.WorkersPath is { } path)
        {
            services.AddSingleton(provider => new WorkersFile(
                path, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<WorkersFile>>()));
            services.AddSingleton<ISwarmObserver>(static provider => provider.GetRequiredService<WorkersFile>());
            services.AddHostedService(static provider => provider.GetRequiredService<WorkersFile>());
        }

        services.TryAddSingleton<ISwarmObserver>(static provider => provider.GetRequiredService<NoSwarm>());
        services.TryAddSingleton<IPlanPublisher>(static provider => provider.GetRequiredService<NoSwarm>());
        services.AddSingleton<SchedulerInstruments>();
        services.TryAddSingleton(static provider => SchedulerAddress.Of(provider.GetRequiredService<SchedulerOptions>(), provider.GetRequiredService<IServer>()));
        services.AddSingleton<PlanStream>();
        services.AddSingleton<SwarmWatch>();
        services.AddSingleton<PlanAnnouncer>();
        services.AddSingleton<SchedulerLoop>();
        services.AddSingleton<SchedulerService>();
        services.AddHostedService(static provider => provider.GetRequiredService<SchedulerLoop>());
        if (options.Bus is { } bus)
        {
            services.AddSchedulerBus(BusOptions.Parse(bus));
        }

        services.AddGrpc(static grpc => grpc.EnableDetailedErrors = false);
        return builder;
    }

    /// <summary>
    /// The same for a host that is a member of a swarm (and listens as one): sees its workers, publishes its plan there, and
    /// its id is the member's.
    /// </summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public static WebApplicationBuilder AddSwarmScheduler(this WebApplicationBuilder builder, SchedulerOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<MemberSwarm>();
        builder.Services.AddSingleton<ISwarmObserver>(static provider => provider.GetRequiredService<MemberSwarm>());
        builder.Services.AddSingleton<IPlanPublisher>(static provider => provider.GetRequiredService<MemberSwarm>());
        builder.Services.AddSingleton(static provider =>
        {
            var member = provider.GetRequiredService<SwarmMember>();
            return new SchedulerAddress(provider.GetRequiredService<SchedulerOptions>(), () => member.Addresses is [var first, ..] ? first : null);
        });
        return builder.AddSchedulerCore(options);
    }

    /// <summary>Maps the scheduler's calls.</summary>
    /// <exception cref="Parallax.Runtime.ParallaxException">The event store or the file of workers cannot be used.</exception>
    public static WebApplication MapScheduler(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        _ = app.Services.GetRequiredService<SchedulerLoop>(); // what cannot be had must fail the start, not a command
        app.MapGrpcService<SchedulerService>();
        return app;
    }

    private static IEventStore OpenStore(SchedulerOptions options, IServiceProvider provider) => EventStores.Open(
        options.StorePath ?? "memory:", provider.GetRequiredService<TimeProvider>(), provider.GetService<ILoggerFactory>());
}
