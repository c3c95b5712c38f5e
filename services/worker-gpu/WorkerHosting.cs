using System.Net;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Identity;
using Parallax.Runtime.Execution;
using Parallax.Transport.Links;
using Parallax.Worker.Gpu.Control;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu;

/// <summary>Puts a worker into a host.</summary>
public static class WorkerHosting
{
    /// <summary>
    /// Adds the worker's services, its gRPC endpoint and its links. The shards stay the caller's: dispose them after the
    /// host, so that sessions go first, then links, then engines. With credentials it is a member of a swarm: mutual TLS, and
    /// its id is its peer id, whatever the options say.
    /// </summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public static WebApplicationBuilder AddWorker(
        this WebApplicationBuilder builder, WorkerOptions options, ShardHost shards, SwarmCredentials? credentials = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(shards);
        OptionsException.ThrowIfAny([.. options.Validate(), .. options.ValidateExposure(credentials is not null)]);
        if (credentials is not null)
        {
            options = options with { Id = credentials.Self.ToString() };
            builder.Services.AddSingleton(new LinkSecurity(credentials.CreateWorkerHandler, SwarmCredentials.CallerIdOf));
        }

        builder.Listen(IPAddress.Parse(options.Bind), options.Port, HttpProtocols.Http2, credentials);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.UseTransportLimits());
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(shards);
        builder.Services.AddSingleton<ILinkHandler>(shards.Links);
        builder.Services.AddKeyedSingleton<Func<long>>(TransportExtensions.ProgressKey, (_, _) => () => shards.Steps);
        builder.Services.AddTransport(links =>
        {
            links.PeerId = options.Id;
            links.Incarnation = shards.Incarnation;
        });
        builder.Services.AddSingleton(services => new WorkerState(shards, options, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<WorkerService>();
        builder.Services.AddSingleton<HealthServiceImpl>();
        builder.Services.AddHostedService<WorkerLifecycle>();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = 16 * 1024 * 1024; // an Open with a prompt of some million tokens
            grpc.EnableDetailedErrors = false;
        });
        return builder;
    }

    /// <summary>
    /// Adds a worker that serves one engine, of a whole model or of a part; see the other overload. The engine stays the
    /// caller's: dispose it after the host.
    /// </summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public static WebApplicationBuilder AddWorker(
        this WebApplicationBuilder builder, WorkerOptions options, WorkerModel model, ISessionEngine engine, SwarmCredentials? credentials = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(engine);
        var clock = builder.Services.LastOrDefault(static service => service.ServiceType == typeof(TimeProvider))?.ImplementationInstance as TimeProvider;
        var shards = new ShardHost(options, memory: null, clock, createEngine: null);
        shards.Adopt(model, engine);
        return builder.AddWorker(options, shards, credentials);
    }

    /// <summary>Maps the worker's calls, its links and the standard gRPC health service.</summary>
    public static WebApplication MapWorker(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Services.GetRequiredService<ShardHost>().LogTo(app.Services.GetRequiredService<ILogger<ShardHost>>());
        app.MapGrpcService<WorkerService>();
        app.MapGrpcService<HealthServiceImpl>();
        app.MapTransport();
        return app;
    }
}
