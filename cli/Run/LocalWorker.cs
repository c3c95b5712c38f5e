using Microsoft.AspNetCore.Builder;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Identity;
using Parallax.Worker.Gpu;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Cli.Run;

/// <summary>One worker in this process, with its own port on loopback, its own backend and its own shard.</summary>
internal sealed class LocalWorker : IAsyncDisposable
{
    private readonly ShardHost _shards;
    private readonly WebApplication _app;

    private LocalWorker(WorkerOptions options, ShardHost shards, Shard shard, WebApplication app)
    {
        Id = options.Id;
        Shard = shard;
        _shards = shards;
        _app = app;
    }

    /// <summary>What people call it.</summary>
    public string Id { get; }

    /// <summary>What it serves.</summary>
    public Shard Shard { get; }

    /// <summary>Where it listens.</summary>
    public Uri Address => _app.ListeningAddress();

    /// <summary>Serves a loaded shard. The worker owns the host from here on, also when this fails.</summary>
    public static async Task<LocalWorker> StartAsync(
        WorkerOptions options, ShardHost shards, Shard shard, SwarmCredentials credentials, CancellationToken stop)
    {
        WebApplication? app = null;
        try
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.AddServiceDefaults().UseEmbeddedLifetime().AddWorker(options, shards, credentials);
            app = builder.Build();
            app.MapWorker();
            await app.StartAsync(stop);
            return new LocalWorker(options, shards, shard, app);
        }
        catch
        {
            if (app is not null)
            {
                await app.DisposeAsync();
            }

            await shards.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends its sessions, then its links.</summary>
    public Task StopAsync() => _app.StopAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _shards.DisposeAsync();
    }
}
