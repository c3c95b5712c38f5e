using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Transport.Links;

namespace Parallax.TransportBenchmark;

/// <summary>Two members of a swarm in a temporary folder, for links over mutual TLS.</summary>
internal sealed class BenchmarkSwarm : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("parallax-benchmark-");

    private BenchmarkSwarm()
    {
    }

    public string ServerFolder => Path.Combine(_root.FullName, "server");

    public string ServerId { get; private set; } = "";

    public SwarmCredentials Client { get; private set; } = null!;

    public static async Task<BenchmarkSwarm> FoundAsync()
    {
        var swarm = new BenchmarkSwarm();
        using var authority = await SwarmAuthority.OpenOrFoundAsync(
            new StateFolder(Path.Combine(swarm._root.FullName, "authority")), TimeProvider.System, CancellationToken.None);
        foreach (var name in new[] { "client", "server" })
        {
            var folder = new StateFolder(Path.Combine(swarm._root.FullName, name));
            using var key = folder.LoadOrCreatePeerKey();
            using var credentials = authority.CreateCredentials(key, MemberRoles.Worker);
            folder.Save(credentials);
            swarm.ServerId = key.Id.ToString(); // the last one's
        }

        swarm.Client = Load(Path.Combine(swarm._root.FullName, "client"));
        return swarm;
    }

    public static SwarmCredentials Load(string path)
    {
        var folder = new StateFolder(path);
        return folder.LoadCredentials(folder.LoadOrCreatePeerKey(), TimeProvider.System)
            ?? throw new InvalidOperationException($"{path} holds no credentials.");
    }

    public static LinkSecurity? Security(SwarmCredentials? credentials) =>
        credentials is null ? null : new LinkSecurity(credentials.CreateWorkerHandler, SwarmCredentials.CallerIdOf);

    public void Dispose()
    {
        Client.Dispose();
        Client.Key.Dispose();
        _root.Delete(recursive: true);
    }
}
