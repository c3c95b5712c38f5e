using Microsoft.Extensions.DependencyInjection;
using Parallax.Audit.Outbox;

namespace Parallax.Bus.Audit;

/// <summary>Puts the audit's way over the bus into a host.</summary>
public static class BusAuditHosting
{
    /// <summary>Adds <see cref="IAuditTransport"/> over the bus that <see cref="BusHosting.AddParallaxBus"/> added.</summary>
    public static IServiceCollection AddBusAuditTransport(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IAuditTransport, BusAuditTransport>();
    }
}
