using System.Security.Cryptography;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.KvClient.Instances;
using Parallax.ModelFiles;
using Parallax.Runtime.Sampling;
using Parallax.Swarm.Hosting;
using Parallax.Swarm.Members;
using Parallax.Worker.Gpu.Blocks;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>A worker as a member of a swarm, with its own port, key, and shards. Starts empty and follows the plan.</summary>
public sealed class SwarmWorkerApp : IAsyncDisposable
{
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private readonly ShardHost _shards;
    private readonly StoredModels _models;
    private readonly WebApplication _app;
    private int _isStopped;

    private SwarmWorkerApp(ShardHost shards, StoredModels models, WebApplication app) => (_shards, _models, _app) = (shards, models, app);

    /// <summary>Where it listens.</summary>
    public Uri Address => _app.ListeningAddress();

    /// <summary>The worker in the swarm.</summary>
    public SwarmMember Member => _app.Services.GetRequiredService<SwarmMember>();

    /// <summary>Services of its host.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Its shards.</summary>
    public ShardHost Shards => _shards;

    /// <summary>Completes with the reason when somebody asks the worker to leave.</summary>
    public Task<string> LeaveAsked => _app.Services.GetRequiredService<LeaveSignal>().Asked;

    /// <summary>Why it neither serves layers nor stands by for them, as far as its swarm knows; null when it does.</summary>
    public string? WhyNotReady()
    {
        var member = Member;
        var own = member.Map.Present(member.Now).FirstOrDefault(worker => worker.Id == member.Self);
        return WorkerReadiness.WhyNotReady(own?.Record);
    }

    /// <summary>Listens, joins the overlay, and becomes ready for layers.</summary>
    /// <exception cref="Parallax.Runtime.ParallaxException">Options are invalid, or the swarm cannot be joined.</exception>
    public static async Task<SwarmWorkerApp> StartAsync(SwarmWorkerSetup setup, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(setup);
        var shards = new ShardHost(setup.Options, new TokenSamplerFactory(), setup.Memory);
        WebApplication? app = null;
        StoredModels? models = null;
        try
        {
            models = new StoredModels(setup.Models, setup.Member.Credentials, () => app!.Services.GetRequiredService<SwarmMember>());
            var record = new SwarmRecord(shards, setup.Device, setup.Name, models.Held);
            var builder = WebApplication.CreateSlimBuilder();
            builder.AddServiceDefaults().UseEmbeddedLifetime().AddWorker(setup.Options, shards, setup.Member.Credentials);
            builder.AddSwarmMember(setup.Member with { Record = record, Incarnation = shards.Incarnation });
            builder.AddModelFiles(setup.Models);
            builder.Services.AddSingleton(record);
            builder.Services.AddSingleton<IModelFinder>(models);
            builder.Services.AddSingleton(new PlanFloor(setup.Member.Folder is { } folder ? Path.Combine(folder.Path, "plan") : null));
            builder.Services.AddSingleton(new SwarmWorkerOptions { LeaveTime = setup.LeaveTime });
            builder.Services.AddSingleton(new SelfPlacing(record, setup.Replan, Jitter(), SettleTime));
            builder.Services.AddSingleton<SwarmWorker>();
            if (setup.BlockNews is { } news)
            {
                builder.Services.AddSingleton(services => new BlockAnnouncing(
                    news,
                    setup.Member.Credentials,
                    shards.Incarnation,
                    services.GetRequiredService<TimeProvider>(),
                    services.GetRequiredService<ILogger<BlockAnnouncing>>()));
                builder.Services.AddHostedService(static services => services.GetRequiredService<BlockAnnouncing>());
            }

            builder.AddKvCacheExchange(setup.Member.Credentials);
            setup.Add?.Invoke(builder);
            app = builder.Build();
            shards.Blocks = app.Services.GetService<BlockAnnouncing>();
            shards.Exchange = app.Services.GetRequiredService<KvCacheExchange>();
            app.MapWorker();
            app.MapSwarmMember();
            app.MapModelFiles();
            setup.Map?.Invoke(app);
            await app.StartAsync(stop);
            await app.Services.GetRequiredService<MemberStart>().JoinAsync(app.ListeningAddress(), stop);
            app.Services.GetRequiredService<OverlayInstances>().Start();
            app.Services.GetRequiredService<KvCacheExchange>().Start();
            record.BecomeReady();
            await app.Services.GetRequiredService<SwarmWorker>().StartAsync(CancellationToken.None); // its loop runs on while it leaves, which is what "stop" asks for
            return new SwarmWorkerApp(shards, models, app);
        }
        catch
        {
            if (app is not null)
            {
                await app.DisposeAsync();
            }

            models?.Dispose();
            await shards.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives all layers up in order, so that requests notice nothing; returns when others serve them, or nobody will.</summary>
    public async Task GiveUpAllAsync(CancellationToken cancellationToken)
    {
        await _app.Services.GetRequiredService<BlockHandover>().RunAsync(cancellationToken);
        await _app.Services.GetRequiredService<SwarmWorker>().GiveUpAllAsync(cancellationToken);
    }

    /// <summary>Lets running sessions end for the drain time, says goodbye to the swarm, and stops.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, 1) != 0)
        {
            return;
        }

        await _app.StopAsync();
        using var farewell = new CancellationTokenSource(FarewellTime);
        try
        {
            await Member.LeaveAsync(farewell.Token);
        }
        catch (OperationCanceledException)
        {
            // Nobody was left to say goodbye to; the record's lease ends by itself.
        }

        await _app.Services.GetRequiredService<SwarmWorker>().StopAsync(CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _models.Dispose();
        await _shards.DisposeAsync();
    }

    /// <summary>Longer than a record takes to be seen by all: probes go around twice a second.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(1.5);

    private static TimeSpan Jitter() => TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(0, 5000));
}
