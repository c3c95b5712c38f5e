using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;

namespace Parallax.Hosting.Status;

/// <summary>
/// Answers machines over HTTP for a service whose own port speaks gRPC to members of a swarm only: is the process alive, can
/// it serve, what has it counted. Started before anything else, so that a process that cannot join yet says so.
/// </summary>
public sealed class StatusServer : IAsyncDisposable
{
    private const int MaxConnections = 64;
    private const int MaxRequestBytes = 1024;
    private const string Starting = "It is starting.";

    private readonly WebApplication _app;
    private volatile Func<string?> _whyNotReady = static () => Starting;

    private StatusServer(WebApplication app) => _app = app;

    /// <summary>Where it listens.</summary>
    public Uri Address => _app.ListeningAddress();

    /// <summary>Listens, if that is asked for. Until <see cref="Watch"/> is called the service is not ready.</summary>
    /// <param name="options">Where; null for no server.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="OptionsException">The options cannot be used; lists all that is wrong.</exception>
    /// <exception cref="IOException">The address cannot be had.</exception>
    public static async Task<StatusServer?> StartAsync(StatusOptions? options, CancellationToken stop)
    {
        if (options is null)
        {
            return null;
        }

        OptionsException.ThrowIfAny(options.Validate());
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Listen(IPAddress.Parse(options.Bind), options.Port, HttpProtocols.Http1);
        builder.WebHost.ConfigureKestrel(static server =>
        {
            server.Limits.MaxConcurrentConnections = MaxConnections;
            server.Limits.MaxRequestBodySize = MaxRequestBytes;
        });
        builder.Services.AddOpenTelemetry().WithMetrics(static metrics => metrics
            .AddMeter("Parallax.*", "System.Runtime")
            .AddPrometheusExporter());
        var server = new StatusServer(builder.Build());
        try
        {
            server.Map();
            await server._app.StartAsync(stop);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Says from now on what this function says.</summary>
    /// <param name="whyNotReady">Why the service cannot do its work, a sentence; null when it can. Called by any thread.</param>
    public void Watch(Func<string?> whyNotReady)
    {
        ArgumentNullException.ThrowIfNull(whyNotReady);
        _whyNotReady = whyNotReady;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private void Map()
    {
        _app.MapGet("/health/live", static (HttpContext http) => HealthReport.WriteAsync(http, null));
        _app.MapGet("/health/ready", (HttpContext http) => HealthReport.WriteAsync(http, _whyNotReady()));
        _app.MapPrometheusScrapingEndpoint("/metrics");
    }
}
