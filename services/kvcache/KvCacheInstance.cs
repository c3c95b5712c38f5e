using System.Security.Cryptography;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Disk;
using Parallax.KvCache.Repair;
using Parallax.KvCache.Swarm;
using Parallax.KvClient.Instances;
using Parallax.Swarm.Joining;

namespace Parallax.KvCache;

/// <summary>An instance: its store, its disk, and the member of the swarm that serves them.</summary>
public sealed class KvCacheInstance : IAsyncDisposable
{
    private static readonly TimeSpan GoodbyeTime = TimeSpan.FromSeconds(2);

    private readonly BlockStore _store;
    private readonly ILoggerFactory _loggers = MemberLogging.Create();
    private DiskTier? _disk;
    private MemberApp? _member;

    private KvCacheInstance(KvCacheOptions options)
    {
        _store = new BlockStore(
            new BlockStoreOptions
            {
                MemoryBytes = options.MemoryBytes,
                DiskBytes = options.DiskBytes,
                Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))),
            },
            TimeProvider.System);
    }

    /// <summary>Where other members dial it.</summary>
    public Uri Address => _member!.Address;

    internal BlockStore Store => _store;

    internal OverlayInstances Others => _member!.Services.GetRequiredService<OverlayInstances>();

    /// <summary>Finds what an earlier run left on disk, joins the swarm and serves.</summary>
    /// <param name="options">Valid ones.</param>
    /// <param name="join">The swarm.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="Parallax.Runtime.ParallaxException">The folder or the swarm cannot be used.</exception>
    public static async Task<KvCacheInstance> StartAsync(KvCacheOptions options, JoinSwarm join, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(options);
        var instance = new KvCacheInstance(options);
        try
        {
            await instance.StartCoreAsync(options, join, stop);
            return instance;
        }
        catch
        {
            await instance.DisposeAsync();
            throw;
        }
    }

    /// <summary>Tells others that it goes, ends running calls, and writes what waits to be written.</summary>
    public async Task StopAsync()
    {
        using var time = new CancellationTokenSource(GoodbyeTime);
        await _member!.Services.GetRequiredService<RepairLoop>().DisposeAsync();
        await _member.Services.GetRequiredService<InstanceAnnouncer>().LeaveAsync(time.Token);
        await _member.StopAsync();
        if (_disk is not null)
        {
            await _disk.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_member is not null)
        {
            await _member.DisposeAsync();
        }

        if (_disk is not null)
        {
            await _disk.DisposeAsync();
        }

        _store.Dispose();
        _loggers.Dispose();
    }

    private async Task StartCoreAsync(KvCacheOptions options, JoinSwarm join, CancellationToken stop)
    {
        if (options.Folder is { } folder)
        {
            _disk = DiskTier.Open(
                _store, StoreFolder.TakeWithin(folder), new DiskTierOptions { Bytes = options.DiskBytes }, TimeProvider.System, _loggers.CreateLogger<DiskTier>());
        }

        _member = await MemberApp.StartAsync(
            join, (builder, credentials) => builder.AddKvCache(options, _store, _disk, credentials), static app => app.MapKvCache(), stop);
        _member.Services.GetRequiredService<OverlayInstances>().Start();
        _member.Services.GetRequiredService<InstanceAnnouncer>().Start();
        _member.Services.GetRequiredService<RepairLoop>().Start();
    }
}
