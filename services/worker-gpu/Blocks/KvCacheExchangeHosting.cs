using Parallax.Identity;
using Parallax.KvClient;

namespace Parallax.Worker.Gpu.Blocks;

/// <summary>Connects a worker of a swarm with the swarm's KV cache, which may have no instance, now or ever.</summary>
internal static class KvCacheExchangeHosting
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(2);

    /// <summary>Adds the exchange, and what finds the instances.</summary>
    /// <param name="builder">The worker's host.</param>
    /// <param name="credentials">Who the worker is.</param>
    public static void AddKvCacheExchange(this WebApplicationBuilder builder, SwarmCredentials credentials)
    {
        builder.Services.AddKvCacheClient(credentials, PollEvery, new KvClientOptions());
        builder.Services.AddSingleton<KvCacheExchange>();
        builder.Services.AddSingleton<BlockHandover>();
        builder.Services.AddHostedService<RestoreWatch>();
    }
}
