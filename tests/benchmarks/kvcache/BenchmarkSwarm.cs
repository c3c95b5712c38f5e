using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.KvClient;
using Parallax.KvClient.Instances;

namespace Parallax.KvCacheBenchmark;

/// <summary>A swarm in a temporary folder with two members: an instance, and a worker that uses it.</summary>
internal sealed class BenchmarkSwarm : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("parallax-kv-benchmark-");

    private BenchmarkSwarm()
    {
    }

    public string ServerFolder => Path.Combine(_root.FullName, "server");

    private SwarmCredentials Worker { get; set; } = null!;

    private Contracts.Identifiers.PeerId ServerId { get; set; }

    public static async Task<BenchmarkSwarm> FoundAsync()
    {
        var swarm = new BenchmarkSwarm();
        using var authority = await SwarmAuthority.OpenOrFoundAsync(
            new StateFolder(Path.Combine(swarm._root.FullName, "authority")), TimeProvider.System, CancellationToken.None);
        foreach (var (name, role) in new[] { ("worker", MemberRoles.Worker), ("server", MemberRoles.KvCache) })
        {
            var folder = new StateFolder(Path.Combine(swarm._root.FullName, name));
            using var key = folder.LoadOrCreatePeerKey();
            using var credentials = authority.CreateCredentials(key, role);
            folder.Save(credentials);
            swarm.ServerId = key.Id; // the last one's
        }

        swarm.Worker = Load(Path.Combine(swarm._root.FullName, "worker"));
        return swarm;
    }

    public static SwarmCredentials Load(string path)
    {
        var folder = new StateFolder(path);
        return folder.LoadCredentials(folder.LoadOrCreatePeerKey(), TimeProvider.System)
            ?? throw new InvalidOperationException($"{path} holds no credentials.");
    }

    public KvCacheClient CreateClient(Uri address)
    {
        var instances = new InstanceList();
        instances.Set([new KvInstance(ServerId, address)]);
        // On a busy machine the load of the measurement must not look like a dead instance.
        var options = new KvClientOptions { Connections = 4, Patience = TimeSpan.FromSeconds(20), LookupTime = TimeSpan.FromSeconds(20), TransferTime = TimeSpan.FromMinutes(5) };
        return new KvCacheClient(instances, Worker, options, TimeProvider.System, NullLogger<KvCacheClient>.Instance);
    }

    public void Dispose()
    {
        Worker.Dispose();
        Worker.Key.Dispose();
        _root.Delete(recursive: true);
    }
}
