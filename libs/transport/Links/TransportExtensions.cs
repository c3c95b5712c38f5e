using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Links;

/// <summary>Wiring of links into a host.</summary>
public static class TransportExtensions
{
    /// <summary>
    /// Adds a <see cref="LinkHub"/>. The host registers an <see cref="ILinkHandler"/>; it may register a
    /// <see cref="TimeProvider"/>, a <c>Func&lt;long&gt;</c> keyed <see cref="ProgressKey"/> and a
    /// <see cref="LinkSecurity"/> for TLS.
    /// </summary>
    public static IServiceCollection AddTransport(this IServiceCollection services, Action<LinkOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new LinkOptions();
        configure(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IMemoryPoolFactory<byte>, SocketBufferPool.Factory>();
        services.AddGrpc().AddServiceOptions<LinkGrpcService>(grpc =>
        {
            grpc.MaxReceiveMessageSize = FrameLimits.MaxFrameBytes;
            grpc.MaxSendMessageSize = FrameLimits.MaxFrameBytes;
        });
        services.TryAddSingleton(provider => new LinkHub(
            options,
            provider.GetRequiredService<ILinkHandler>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<LinkHub>>(),
            provider.GetKeyedService<Func<long>>(ProgressKey),
            provider.GetService<LinkSecurity>()));
        services.TryAddSingleton<LinkGrpcService>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IServiceMethodProvider<LinkGrpcService>, LinkMethodProvider>());
        return services;
    }

    /// <summary>Key of the service that gives the executor's count of finished steps.</summary>
    public const string ProgressKey = "parallax.executor.progress";

    /// <summary>Maps the links' two methods. The endpoint must speak HTTP/2 (<see cref="UseTransportLimits"/>).</summary>
    public static IEndpointConventionBuilder MapTransport(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        return endpoints.MapGrpcService<LinkGrpcService>();
    }

    /// <summary>Sets Kestrel's HTTP/2 windows to what links are built for.</summary>
    public static KestrelServerOptions UseTransportLimits(this KestrelServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Limits.Http2.InitialStreamWindowSize = TransportLimits.StreamWindowBytes;
        options.Limits.Http2.InitialConnectionWindowSize = 2 * TransportLimits.StreamWindowBytes;
        return options;
    }
}
