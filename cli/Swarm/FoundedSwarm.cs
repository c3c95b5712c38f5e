using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Bus;
using Parallax.Bus.Commands;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Identity.Tokens;
using Parallax.ModelFiles.Shapes;
using Parallax.ModelFiles.Storage;
using Parallax.Placement;
using Parallax.Router;
using Parallax.Router.Routing;
using Parallax.Runtime.Cpu;
using Parallax.Scheduler;
using Parallax.Swarm.Hosting;
using Parallax.Swarm.Joining;
using Parallax.Swarm.Telemetry;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.Cli.Swarm;

/// <summary>
/// A swarm's first machine: workers, the scheduler and a router in one process, and the swarm's key. Others join it by
/// <c>parallax join</c>.
/// </summary>
internal sealed class FoundedSwarm : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60); // until a scheduler leads and knows this process's workers

    private readonly FounderSettings _settings;
    private readonly MemberFolder _folder;
    private readonly ILoggerFactory _loggers = MemberLogging.Create();
    private readonly List<IDisposable> _keys = []; // and credentials, of all members of this process
    private readonly List<SwarmWorkerApp> _workers = [];
    private SwarmAuthority? _authority;
    private ModelStore? _models;
    private NatsTelemetry? _news;
    private WebApplication? _router;

    private FoundedSwarm(FounderSettings settings, MemberFolder folder) => (_settings, _folder) = (settings, folder);

    /// <summary>Where the API listens.</summary>
    public Uri Api => _router!.ListeningAddress();

    /// <summary>The first worker, which others dial.</summary>
    public SwarmWorkerApp First => _workers[0];

    /// <summary>What is served.</summary>
    public RouterModel Model { get; private set; } = null!;

    /// <summary>Whether the API takes keys.</summary>
    public bool NeedsKeys => _settings.Run.ToRouter([]).NeedsKeys;

    /// <summary>A token for another machine.</summary>
    public JoinToken Token { get; private set; } = null!;

    /// <summary>The swarm's id.</summary>
    public string Swarm => _authority!.Swarm.ToString();

    /// <summary>Founds the swarm, or goes on with the one that the state folder holds.</summary>
    /// <exception cref="Parallax.Runtime.ParallaxException">The model, the state folder or an address cannot be used.</exception>
    public static async Task<FoundedSwarm> StartAsync(FounderSettings settings, TextWriter notes, CancellationToken stop)
    {
        var swarm = new FoundedSwarm(settings, MemberFolder.Take(settings.State ?? StateFolder.DefaultPath));
        try
        {
            await swarm.StartAsync(notes, stop);
            return swarm;
        }
        catch
        {
            await swarm.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets running answers end, then leaves.</summary>
    public async Task StopAsync()
    {
        await _router!.StopAsync();
        await Task.WhenAll(_workers.Select(static worker => worker.StopAsync()));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_router is not null)
        {
            await _router.DisposeAsync();
        }

        foreach (var worker in Enumerable.Reverse(_workers))
        {
            await worker.DisposeAsync();
        }

        if (_news is not null)
        {
            await _news.DisposeAsync();
        }

        if (_models is not null)
        {
            await _models.DisposeAsync();
        }

        _keys.ForEach(static key => key.Dispose());
        _authority?.Dispose();
        _folder.Dispose();
        _loggers.Dispose();
    }

    private async Task StartAsync(TextWriter notes, CancellationToken stop)
    {
        // 1. Who we are. 2. What we have. 3. Workers, the first with the scheduler. 4. The router. 5. The model is deployed.
        Model = RouterModel.Load(_settings.Run.Model);
        _authority = await SwarmAuthority.OpenOrFoundAsync(_folder.State, TimeProvider.System, stop);
        var credentials = Enter(_folder.State, MemberRoles.Worker | MemberRoles.Router | MemberRoles.Scheduler | MemberRoles.Admin);
        _folder.State.Save(credentials);
        _news = MemberNews.Open(_settings.Nats, credentials, _loggers);
        _models = new ModelStore(new ModelStoreOptions { Paths = [_settings.Run.Model] }, TimeProvider.System, _loggers.CreateLogger<ModelStore>());
        var held = await _models.AddAsync(_settings.Run.Model, stop);
        _ = _models.StartIndexing();
        var served = ServedDescription.Of(_settings.Run, held, notes);
        var device = await Task.Run(() => DeviceProbe.Measure(_settings.Run.Threads ?? 0, _settings.Memory, TimeProvider.System), stop);

        for (var i = 0; i < served.Workers; i++)
        {
            _workers.Add(await StartWorkerAsync(i, served.Workers, credentials, device.ToWire(_settings.Region), stop));
        }

        _folder.WriteAddress(MemberFolder.Local(First.Address));
        _router = await StartRouterAsync(credentials, stop);
        await DeployAsync(served, credentials, stop);
        Token = await _authority.CreateTokenAsync(First.Member.Self, MemberRoles.Worker, _settings.TokenLife, stop);
    }

    private SwarmCredentials Enter(StateFolder folder, MemberRoles roles)
    {
        var key = folder.LoadOrCreatePeerKey();
        _keys.Insert(0, key);
        var credentials = _authority!.CreateCredentials(key, roles);
        _keys.Insert(0, credentials);
        return credentials;
    }

    private Task<SwarmWorkerApp> StartWorkerAsync(int index, int count, SwarmCredentials first, Device device, CancellationToken stop)
    {
        var folder = index == 0 ? _folder.State : new StateFolder(Path.Combine(_folder.Path, $"worker-{index + 1}"));
        var credentials = index == 0 ? first : Enter(folder, MemberRoles.Worker);

        // They share this machine.
        device.Tflops /= count;
        device.BandwidthGbps /= count;
        var options = _settings.ToWorker(index);
        return SwarmWorkerApp.StartAsync(
            new SwarmWorkerSetup
            {
                Options = options with { MemoryBytes = options.MemoryBytes ?? device.MemoryBytes / count },
                Member = new MemberSetup
                {
                    Credentials = credentials,
                    Incarnation = 0,
                    Bootstrap = index == 0 ? [] : [new Uri(First.Member.Addresses[0])],
                    Advertise = index == 0 ? _settings.Advertise : [],
                    News = index == 0 ? _news : null,
                    Authority = index == 0 ? _authority : null,
                    Folder = folder,
                },
                Models = _models!,
                BlockNews = _news,
                Name = count == 1 ? _settings.Name : $"{_settings.Name}/{index + 1}",
                Device = device,
                Replan = Allocator.Replan,
                Add = index == 0 ? AddScheduler : null,
                Map = index == 0 ? static app => app.MapScheduler() : null,
            },
            stop);
    }

    private void AddScheduler(WebApplicationBuilder builder) => builder.AddSwarmScheduler(new SchedulerOptions
    {
        Id = _authority!.Swarm.ToString(),
        StorePath = Path.Combine(_folder.Path, "scheduler.db"),
        Bus = "memory",
    });

    private async Task<WebApplication> StartRouterAsync(SwarmCredentials credentials, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Services.AddSharedBus(First.Services).AddCommandClient();
        builder.Services.AddSingleton<ISwarmView>(new MemberView(First.Member, TimeProvider.System));
        if (_news is not null)
        {
            builder.Services.AddSingleton<IBlockNews>(_news);
        }

        var options = _settings.Run.ToRouter([]) with { FollowsSwarm = true };
        builder.AddRouter(options with { Audit = RouterAudit.Within(options.Audit, _folder.Path) }, Model, credentials);
        var router = builder.Build();
        try
        {
            router.MapRouter();
            await router.StartAsync(stop);
            return router;
        }
        catch
        {
            await router.DisposeAsync();
            throw;
        }
    }

    /// <summary>Tells the scheduler what to serve, and what of earlier runs no longer.</summary>
    private async Task DeployAsync(ServedDescription served, SwarmCredentials credentials, CancellationToken stop)
    {
        var models = new FoundersModels(_folder.Path);
        var known = models.Read();
        var present = new FoundersModel(served.Model.Shape.Name, !served.Cut.IsEmpty);
        var earlier = known.Where(one => one.Name != present.Name).ToList();
        var request = new DeployRequest
        {
            CommandId = NewCommand(),
            Model = served.Model,
            // What operators pinned stays; what an earlier run cut does not.
            ReplacePins = present.IsCut || known.Any(one => one.Name == present.Name && one.IsCut),
        };
        request.Model.Pins.AddRange(served.Cut.Select((range, i) => new PlannedShard
        {
            WorkerId = _workers[i].Member.Self.ToString(),
            LayerStart = range.Start,
            LayerEnd = range.End,
        }));

        // The scheduler that leads may be another than this process's.
        using var link = new SchedulerLink(credentials, MemberFolder.Local(First.Address), Patience);
        models.Write([.. earlier, present with { IsCut = request.ReplacePins }]); // before, so that a run that is cut off leaves nothing that nobody knows of
        foreach (var model in earlier)
        {
            var retire = new RetireRequest { CommandId = NewCommand(), Model = model.Name };
            try
            {
                await link.CallAsync((scheduler, options) => scheduler.RetireAsync(retire, options).ResponseAsync, stop);
            }
            catch (SwarmCommandException e) when (IsNotFound(e))
            {
                // Somebody else has retired it, which is as well.
            }
        }

        await DeployAsync(link, request, stop);
        models.Write([present]);
    }

    private static async Task DeployAsync(SchedulerLink link, DeployRequest request, CancellationToken stop)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await link.CallAsync((scheduler, options) => scheduler.DeployAsync(request, options).ResponseAsync, stop);
                return;
            }
            catch (SwarmCommandException e) when (IsNotFound(e) && TimeProvider.System.GetElapsedTime(begin) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), stop); // it does not know all workers of this process yet
            }
            catch (SwarmCommandException e)
            {
                throw new SwarmCommandException($"The scheduler does not take the model: {e.Message}", e);
            }
        }
    }

    private static string NewCommand() => $"run-{Guid.NewGuid():n}";

    private static bool IsNotFound(SwarmCommandException e) => e.InnerException is RpcException { StatusCode: StatusCode.NotFound };
}
