using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Parallax.Identity.Membership;

namespace Parallax.Identity.Access;

/// <summary>Wiring of the gate into a host.</summary>
public static class AccessExtensions
{
    /// <summary>Adds credentials and the gate before all calls. Called by listening with credentials.</summary>
    public static IServiceCollection AddSwarmAccess(this IServiceCollection services, SwarmCredentials credentials)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(credentials);
        if (services.FirstOrDefault(static service => service.ServiceType == typeof(SwarmCredentials)) is { } present)
        {
            return ReferenceEquals(present.ImplementationInstance, credentials)
                ? services
                : throw new InvalidOperationException("The host has other credentials already: one host is one member.");
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(credentials);
        services.AddSingleton<AccessTable>();
        services.AddSingleton(static _ => new AttemptLimiter(limit: 10, window: TimeSpan.FromMinutes(1))); // of the gate's log
        services.AddSingleton<IStartupFilter, MemberGateFilter>();
        return services;
    }

    /// <summary>Says who may call a service, or one method of it: see <see cref="AccessEntry"/>. What nobody names is refused.</summary>
    public static IServiceCollection AllowCalls(this IServiceCollection services, string calls, AccessRule rule)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton(new AccessEntry(calls, rule));
    }
}
