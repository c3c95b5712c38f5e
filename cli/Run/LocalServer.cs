using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Router;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Worker.Gpu;

namespace Parallax.Cli.Run;

/// <summary>A router and a worker in this process, joined by gRPC over loopback as they would be on two machines.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    // The router calls its worker at once; only a machine that is out of breath takes longer.
    private static readonly TimeSpan ReadyTime = TimeSpan.FromSeconds(30);

    private readonly LocalEngine _engine;
    private readonly WebApplication _worker;
    private readonly WebApplication _router;

    private LocalServer(LocalEngine engine, RouterModel model, WebApplication worker, WebApplication router)
    {
        _engine = engine;
        _worker = worker;
        _router = router;
        Model = model;
    }

    /// <summary>Where the API listens.</summary>
    public Uri Address => _router.ListeningAddress();

    /// <summary>What is served.</summary>
    public RouterModel Model { get; }

    /// <summary>What computes.</summary>
    public LocalEngine Engine => _engine;

    /// <summary>Loads the model and starts both services. Null when <paramref name="stop"/> asked to stop meanwhile.</summary>
    /// <exception cref="Parallax.Runtime.ParallaxException">The model cannot be used.</exception>
    /// <exception cref="AddressTakenException">The API's address cannot be had.</exception>
    public static async Task<LocalServer?> StartAsync(RunSettings settings, IProgress<LoadProgress> progress, CancellationToken stop)
    {
        RouterModel? model = null;
        LocalEngine? engine = null;
        WebApplication? worker = null;
        WebApplication? router = null;
        try
        {
            model = RouterModel.Load(settings.Model);
            engine = await Task.Run(
                () => LocalEngine.Load(settings.ToEngine(), new TokenSamplerFactory(), progress, cancellationToken: stop), stop);
            worker = await StartWorkerAsync(settings, engine, stop);
            router = await StartRouterAsync(settings, model, worker.ListeningAddress(), stop);
            var server = new LocalServer(engine, model, worker, router);
            await server.WhenReadyAsync(stop);
            return server;
        }
        catch (Exception e)
        {
            await DisposeAllAsync(router, worker, engine);
            if (e is OperationCanceledException && stop.IsCancellationRequested)
            {
                return null;
            }

            throw;
        }
    }

    /// <summary>Stops the router (running answers may end), then the worker.</summary>
    public async Task StopAsync()
    {
        await _router.StopAsync();
        await _worker.StopAsync();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => DisposeAllAsync(_router, _worker, _engine);

    private static async Task<WebApplication> StartWorkerAsync(RunSettings settings, LocalEngine engine, CancellationToken stop)
    {
        var builder = NewBuilder();
        builder.AddWorker(settings.ToWorker(), engine);
        var worker = builder.Build();
        worker.MapWorker();
        await worker.StartAsync(stop);
        return worker;
    }

    private static async Task<WebApplication> StartRouterAsync(RunSettings settings, RouterModel model, Uri worker, CancellationToken stop)
    {
        var builder = NewBuilder();
        builder.AddRouter(settings.ToRouter(worker), model);
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

    private static WebApplicationBuilder NewBuilder()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults();
        builder.UseEmbeddedLifetime();
        return builder;
    }

    private static async ValueTask DisposeAllAsync(WebApplication? router, WebApplication? worker, LocalEngine? engine)
    {
        if (router is not null)
        {
            await router.DisposeAsync();
        }

        if (worker is not null)
        {
            await worker.DisposeAsync();
        }

        if (engine is not null)
        {
            await engine.DisposeAsync();
        }
    }

    private async Task WhenReadyAsync(CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(ReadyTime);
        using var http = new HttpClient { BaseAddress = LocalAddress.Of(Address) };
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
