using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Identity;
using Parallax.KvClient.Instances;
using Parallax.Swarm.Members;

namespace Parallax.KvClient;

/// <summary>Puts the KV cache's client into the host of a member.</summary>
public static class KvClientHosting
{
    /// <summary>Adds the client and what finds the instances, which is to be started when the member has joined. There may be no instance, now or ever.</summary>
    /// <param name="services">The host's, with the member and a clock.</param>
    /// <param name="credentials">Who the member is.</param>
    /// <param name="pollEvery">How often the overlay is read for instances.</param>
    /// <param name="options">How the client behaves.</param>
    public static IServiceCollection AddKvCacheClient(this IServiceCollection services, SwarmCredentials credentials, TimeSpan pollEvery, KvClientOptions options) => services
        .AddSingleton(provider => new OverlayInstances(
            provider.GetRequiredService<SwarmMember>().Overlay,
            credentials,
            pollEvery,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<OverlayInstances>>()))
        .AddSingleton(provider => new KvCacheClient(
            provider.GetRequiredService<OverlayInstances>(),
            credentials,
            options,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KvCacheClient>>()));
}
