using Parallax.Identity;
using Parallax.KvClient;
using Parallax.KvClient.Instances;
using Parallax.Swarm.Members;

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
        builder.Services.AddSingleton(services => new OverlayInstances(
            services.GetRequiredService<SwarmMember>().Overlay,
            credentials,
            PollEvery,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<OverlayInstances>>()));
        builder.Services.AddSingleton(services => new KvCacheClient(
            services.GetRequiredService<OverlayInstances>(),
            credentials,
            new KvClientOptions(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<KvCacheClient>>()));
        builder.Services.AddSingleton<KvCacheExchange>();
        builder.Services.AddSingleton<BlockHandover>();
    }
}
