using System.Collections.Immutable;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Parallax.Bus;
using Parallax.Bus.Audit;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Router;
using Parallax.Runtime.Execution;
using Parallax.Scheduler;

namespace Parallax.Cli.Run;

/// <summary>
/// A router and workers in this process, joined by gRPC over loopback as they would be on several machines: members of a
/// swarm that is theirs alone.
/// </summary>
internal sealed class LocalServer : IAsyncDisposable
{
    // The router calls its workers at once; only a machine that is out of breath takes longer.
    private static readonly TimeSpan ReadyTime = TimeSpan.FromSeconds(30);

    private readonly PrivateSwarm _swarm;
    private readonly WebApplication _router;

    private LocalServer(PrivateSwarm swarm, RouterModel model, ImmutableArray<LocalWorker> workers, WebApplication router)
    {
        _swarm = swarm;
        Workers = workers;
        _router = router;
        Model = model;
    }

    /// <summary>Where the API listens.</summary>
    public Uri Address => _router.ListeningAddress();

    /// <summary>What is served.</summary>
    public RouterModel Model { get; }

    /// <summary>Who computes, in the order of their layers.</summary>
    public ImmutableArray<LocalWorker> Workers { get; }

    /// <summary>Loads the model and starts all services. Null when <paramref name="stop"/> asked to stop meanwhile.</summary>
    /// <exception cref="Parallax.Runtime.ParallaxException">The model cannot be used, or does not fit.</exception>
    /// <exception cref="AddressTakenException">The API's address cannot be had.</exception>
    public static async Task<LocalServer?> StartAsync(
        RunSettings settings, IProgress<LoadProgress> progress, TextWriter notes, CancellationToken stop)
    {
        ImmutableArray<LocalWorker> workers = [];
        WebApplication? router = null;
        var swarm = new PrivateSwarm(TimeProvider.System);
        try
        {
            var model = RouterModel.Load(settings.Model);
            workers = await LocalWorkers.StartAsync(settings, progress, notes, swarm, stop);
            router = await StartRouterAsync(
                settings, model, [.. workers.Select(static worker => worker.Address)], swarm.CreateMember(MemberRoles.Router), stop);
            var server = new LocalServer(swarm, model, workers, router);
            await server.WhenReadyAsync(stop);
            return server;
        }
        catch (Exception e)
        {
            await DisposeAllAsync(router, workers, swarm);
            if (e is OperationCanceledException && stop.IsCancellationRequested)
            {
                return null;
            }

            throw;
        }
    }

    /// <summary>Stops the router (running answers may end), then the workers.</summary>
    public async Task StopAsync()
    {
        await _router.StopAsync();
        await Task.WhenAll(Workers.Select(static worker => worker.StopAsync()));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => DisposeAllAsync(_router, Workers, _swarm);

    private static async Task<WebApplication> StartRouterAsync(
        RunSettings settings, RouterModel model, IReadOnlyList<Uri> workers, SwarmCredentials credentials, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        if (settings.Audit is not null)
        {
            // The same way that events take in a deployment, over a bus within this process.
            builder.Services.AddAuditIntake(BusOptions.Memory).AddBusAuditTransport();
        }

        builder.AddRouter(settings.ToRouter(workers), model, credentials);
        var router = builder.Build();
        try
        {
            router.MapRouter();
            await router.StartAsync(stop);
            return router;
        }
        catch (Exception e)
        {
            await router.DisposeAsync();
            if (e is IOException { InnerException: AddressInUseException })
            {
                var cause = new SocketException((int)SocketError.AddressAlreadyInUse);
                throw new AddressTakenException(PortProbe.Explain(settings.Bind, settings.Port, cause.SocketErrorCode), cause);
            }

            throw;
        }
    }

    private static async ValueTask DisposeAllAsync(WebApplication? router, ImmutableArray<LocalWorker> workers, PrivateSwarm swarm)
    {
        if (router is not null)
        {
            await router.DisposeAsync();
        }

        foreach (var worker in workers)
        {
            await worker.DisposeAsync();
        }

        swarm.Dispose();
    }

    private async Task WhenReadyAsync(CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(ReadyTime);
        using var http = OwnApi.Connect(Address);
        while (true)
        {
            using var answer = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), patience.Token);
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), patience.Token);
        }
    }
}
