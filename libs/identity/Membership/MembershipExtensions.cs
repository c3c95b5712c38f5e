using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Parallax.Identity.Membership;

/// <summary>Wiring of membership into a host that listens with credentials.</summary>
public static class MembershipExtensions
{
    private const int MaxRequestBytes = 16 * 1024;

    /// <summary>Adds the service; where the swarm's key is, also the watch on its folder.</summary>
    public static IServiceCollection AddMembership(this IServiceCollection services, MembershipOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(options);
        services.AddSingleton<MembershipService>();
        services.AddGrpc().AddServiceOptions<MembershipService>(static grpc => grpc.MaxReceiveMessageSize = MaxRequestBytes);
        if (options.Authority is { } authority)
        {
            services.AddSingleton<IHostedService>(provider => new RevocationWatch(
                provider.GetRequiredService<SwarmCredentials>(),
                authority,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<RevocationWatch>>()));
        }

        return services;
    }

    /// <summary>Maps the service.</summary>
    public static IEndpointConventionBuilder MapMembership(this IEndpointRouteBuilder endpoints) => endpoints.MapGrpcService<MembershipService>();
}
