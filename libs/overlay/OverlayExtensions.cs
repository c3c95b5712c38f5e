using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Parallax.Identity;
using Parallax.Overlay.Node;

namespace Parallax.Overlay;

/// <summary>Wiring of the overlay into a host.</summary>
public static class OverlayExtensions
{
    /// <summary>
    /// Adds an <see cref="OverlayNode"/>, also as <see cref="IOverlay"/>. The host registers a <see cref="PeerKey"/>, and
    /// calls <see cref="OverlayNode.Start"/> once its server listens.
    /// </summary>
    public static IServiceCollection AddOverlay(this IServiceCollection services, Action<IServiceProvider, OverlayOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.AddGrpc().AddServiceOptions<OverlayGrpcService>(static grpc =>
        {
            grpc.MaxReceiveMessageSize = OverlayMapping.MaxMessageBytes;
            grpc.MaxSendMessageSize = OverlayMapping.MaxMessageBytes;
        });
        services.TryAddSingleton(provider =>
        {
            var options = new OverlayOptions();
            configure(provider, options);
            return new OverlayNode(
                provider.GetRequiredService<PeerKey>(), options, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<OverlayNode>>());
        });
        services.TryAddSingleton<IOverlay>(static provider => provider.GetRequiredService<OverlayNode>());
        services.TryAddSingleton<OverlayGrpcService>();
        return services;
    }

    /// <summary>Maps the overlay's calls. The endpoint must speak HTTP/2.</summary>
    public static IEndpointConventionBuilder MapOverlay(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        return endpoints.MapGrpcService<OverlayGrpcService>();
    }
}
