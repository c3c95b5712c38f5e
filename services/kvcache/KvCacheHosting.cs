using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Parallax.Identity;
using Parallax.Identity.Access;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Disk;
using Parallax.KvCache.Grpc;
using Parallax.KvCache.Observability;
using Parallax.KvCache.Repair;
using Parallax.KvCache.Swarm;
using Parallax.KvClient;
using Parallax.KvClient.Protocol;
using Parallax.Transport.Buffers;
using Parallax.Transport.Links;

namespace Parallax.KvCache;

/// <summary>Puts an instance of the KV cache into the host of a member.</summary>
internal static class KvCacheHosting
{
    /// <summary>Adds the calls, and what finds the other instances and gives them what they lack.</summary>
    /// <param name="builder">The host, which listens with these credentials.</param>
    /// <param name="options">Valid ones.</param>
    /// <param name="store">The store; stays the caller's.</param>
    /// <param name="disk">Its disk tier; null for none; stays the caller's.</param>
    /// <param name="credentials">Who the member is.</param>
    public static WebApplicationBuilder AddKvCache(
        this WebApplicationBuilder builder, KvCacheOptions options, BlockStore store, DiskTier? disk, SwarmCredentials credentials)
    {
        var services = builder.Services;
        services.AddSingleton(options);
        services.AddSingleton(store);
        services.AddMetrics();
        services.AddKvCacheCalls(options, store, disk);
        services.AddKvCacheClient(credentials, options.PollEvery, new KvClientOptions { Copies = options.Copies, Connections = 1 });
        services.AddSingleton<InstanceAnnouncer>();
        services.AddSingleton<RepairLoop>();
        return builder;
    }

    /// <summary>Adds the calls alone.</summary>
    public static IServiceCollection AddKvCacheCalls(this IServiceCollection services, KvCacheOptions options, BlockStore store, DiskTier? disk)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IMemoryPoolFactory<byte>, SocketBufferPool.Factory>();
        services.Configure<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>(static kestrel => kestrel.UseTransportLimits());
        services.AddGrpc(static grpc => grpc.EnableDetailedErrors = false).AddServiceOptions<KvCacheService>(static grpc =>
        {
            grpc.MaxReceiveMessageSize = PartCodec.MostMessageBytes;
            grpc.MaxSendMessageSize = PartCodec.MostMessageBytes;
        });
        services.AddSingleton(new KvProtocol(store.Rent));
        services.AddSingleton(provider => new KvCacheInstruments(provider.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), store, disk));
        services.AddSingleton(provider => new KvCacheService(store, disk, options, provider.GetRequiredService<KvCacheInstruments>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IServiceMethodProvider<KvCacheService>, KvMethodProvider>());
        services.AllowCalls(KvProtocol.ServiceName, AccessRule.Of(MemberRoles.Worker));
        services.AllowCalls(KvProtocol.ServiceName + "/Put", AccessRule.Of(MemberRoles.Worker | MemberRoles.KvCache));
        services.AllowCalls(KvProtocol.ServiceName + "/Stat", AccessRule.Members);
        return services;
    }

    /// <summary>Maps the calls.</summary>
    public static void MapKvCache(this WebApplication app) => app.MapGrpcService<KvCacheService>();
}
