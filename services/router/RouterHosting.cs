using System.Security.Cryptography;
using Parallax.Audit.Log;
using Parallax.Hosting;
using Parallax.Identity;
using Parallax.KvIndex.Index;
using Parallax.Router.Access;
using Parallax.Router.Access.Gate;
using Parallax.Router.Access.Quotas;
using Parallax.Router.Admission;
using Parallax.Router.Api;
using Parallax.Router.Auditing;
using Parallax.Router.Idempotency;
using Parallax.Router.Observability;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Swarm.Telemetry;

namespace Parallax.Router;

/// <summary>Puts a router into a host.</summary>
public static class RouterHosting
{
    /// <summary>
    /// Adds the router's services and its HTTP endpoint. With credentials it talks to workers as a member of their swarm; where
    /// the options say that it follows the swarm, the host registers an <see cref="ISwarmView"/>, and, before this, an
    /// <see cref="IBlockNews"/> if it is to know which prompts workers have cached.
    /// </summary>
    /// <exception cref="OptionsException">Options are invalid; lists all of them.</exception>
    public static WebApplicationBuilder AddRouter(
        this WebApplicationBuilder builder, RouterOptions options, RouterModel model, SwarmCredentials? credentials = null) =>
        builder.AddRouter(options, model, new WorkerLinkOptions(), credentials);

    internal static WebApplicationBuilder AddRouter(
        this WebApplicationBuilder builder, RouterOptions options, RouterModel model, WorkerLinkOptions linkOptions, SwarmCredentials? credentials = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(model);
        OptionsException.ThrowIfAny(options.Validate());

        builder.AddAccess(options);
        builder.WebHost.ConfigureKestrel(server => server.Limits.MaxRequestBodySize = options.MaxBodyBytes);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(model);
        builder.Services.AddSingleton(linkOptions);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton(services =>
            new AdmissionGate(options.MaxInFlight, options.MaxQueued, options.QueueTime, services.GetRequiredService<TimeProvider>()));
        builder.AddAudit(options.Audit, options.FollowsSwarm ? credentials : null);
        builder.Services.AddSingleton(services => new WorkerDirectory(
            options,
            linkOptions,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILoggerFactory>(),
            options.FollowsSwarm ? services.GetRequiredService<ISwarmView>() : null,
            new PathOptions { Rule = options.Paths },
            credentials: credentials,
            prefixes: services.GetService<PrefixFeed>()));
        if (options.FollowsSwarm && credentials is not null && builder.Services.Any(static service => service.ServiceType == typeof(IBlockNews)))
        {
            builder.Services.AddSingleton(services => new PrefixFeed(
                services.GetRequiredService<IBlockNews>(),
                services.GetRequiredService<ISwarmView>(),
                credentials.Swarm.ToString(),
                new PrefixIndex(new PrefixIndexOptions { Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) }),
                services.GetRequiredService<TimeProvider>(),
                services.GetRequiredService<ILogger<PrefixFeed>>()));
            builder.Services.AddHostedService(static services => services.GetRequiredService<PrefixFeed>());
        }

        builder.Services.AddSingleton<RouterStopping>();
        builder.Services.AddSingleton<RouterInstruments>();
        builder.Services.AddSingleton<ErrorTranslator>();
        builder.Services.AddSingleton<AnswerWriter>();
        builder.Services.AddSingleton<ChatGeneration>();
        builder.Services.AddSingleton(services => new IdempotentAnswers(new IdempotencyLimits(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<ChatAccess>();
        builder.Services.AddSingleton<ChatCompletions>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<WorkerDirectory>());
        builder.Services.AddHostedService(static services => services.GetRequiredService<RouterStopping>());
        return builder;
    }

    /// <summary>
    /// Maps the OpenAI API, <c>/health/live</c>, <c>/health/ready</c>, and what administrators ask, behind what keeps others out.
    /// </summary>
    /// <exception cref="Parallax.Runtime.ParallaxException">The audit log cannot be opened, or the certificate not be used.</exception>
    public static WebApplication MapRouter(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        _ = app.Services.GetRequiredService<IAuditLog>(); // a log that cannot be had must fail the start, not a request
        app.UseMiddleware<ErrorResponses>();
        app.UseAccess();
        OpenAiEndpoints.Map(app);
        HealthEndpoints.Map(app);
        app.MapAdmin(app.Services.GetRequiredService<KeyGate>());
        return app;
    }
}
