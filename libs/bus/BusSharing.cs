using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Parallax.Bus;

/// <summary>Lets several hosts of one process use one bus: a bus in memory carries messages only within itself.</summary>
public static class BusSharing
{
    /// <summary>Adds the bus of another host, which starts and stops it, for sending.</summary>
    /// <param name="services">This host's services.</param>
    /// <param name="owner">The services of the host that has the bus; must live as long as this host.</param>
    public static IServiceCollection AddSharedBus(this IServiceCollection services, IServiceProvider owner)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(owner);
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<BusInstruments>();

        // As instances, so that this host does not dispose of what is not its own.
        services.AddSingleton(owner.GetRequiredService<IBus>());
        services.AddSingleton(owner.GetRequiredService<BusOptions>());
        services.AddSingleton(owner.GetRequiredService<BusState>());
        return services;
    }
}
