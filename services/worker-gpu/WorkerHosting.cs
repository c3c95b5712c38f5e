using System.Net;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Control;

namespace Parallax.Worker.Gpu;

/// <summary>Puts a worker into a host.</summary>
public static class WorkerHosting
{
    /// <summary>
    /// Adds the worker's services and its gRPC endpoint. The engine stays the caller's: dispose it after the host.
    /// </summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public static WebApplicationBuilder AddWorker(
        this WebApplicationBuilder builder, WorkerOptions options, WorkerModel model, ISessionEngine engine)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(engine);
        OptionsException.ThrowIfAny(options.Validate());

        builder.Listen(IPAddress.Parse(options.Bind), options.Port, HttpProtocols.Http2);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(services =>
            new WorkerState(engine, model, options, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<WorkerService>();
        builder.Services.AddSingleton<HealthServiceImpl>();
        builder.Services.AddHostedService<WorkerShutdown>();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = 16 * 1024 * 1024; // an Open with a prompt of some million tokens
            grpc.EnableDetailedErrors = false;
        });
        return builder;
    }

    /// <summary>Adds a worker that serves a loaded model; see the other overload.</summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public static WebApplicationBuilder AddWorker(this WebApplicationBuilder builder, WorkerOptions options, LocalEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return builder.AddWorker(options, new WorkerModel(engine.ModelName, engine.Spec.Layers.Length), engine.Engine);
    }

    /// <summary>Maps the worker's calls and the standard gRPC health service.</summary>
    public static WebApplication MapWorker(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapGrpcService<WorkerService>();
        app.MapGrpcService<HealthServiceImpl>();
        return app;
    }
}
