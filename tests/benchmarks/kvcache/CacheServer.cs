using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Parallax.Hosting.Http;
using Parallax.KvBlocks;
using Parallax.KvCache;

namespace Parallax.KvCacheBenchmark;

/// <summary>The other process: an instance as the service has it, without overlay and disk.</summary>
internal static class CacheServer
{
    private const long MemoryBytes = 2L << 30;

    /// <param name="folder">Where the credentials of a member lie.</param>
    public static async Task<int> RunAsync(string folder)
    {
        using var credentials = BenchmarkSwarm.Load(folder);
        using var store = new BlockStore(new BlockStoreOptions { MemoryBytes = MemoryBytes }, TimeProvider.System);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Listen(IPAddress.Loopback, 0, HttpProtocols.Http2, credentials);
        builder.Services.AddKvCacheCalls(new KvCacheOptions { MemoryBytes = MemoryBytes }, store, disk: null);
        await using var app = builder.Build();
        app.MapKvCache();
        await app.StartAsync();
        Console.WriteLine(app.ListeningAddress());
        // The parent closes standard input when it is done.
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        await app.StopAsync();
        return 0;
    }
}
