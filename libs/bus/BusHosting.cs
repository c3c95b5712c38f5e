using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Parallax.Bus;

/// <summary>Puts the bus into a host.</summary>
public static class BusHosting
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ConsumerStopTime = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Adds the bus: <see cref="IBus"/>, <see cref="BusState"/>, <see cref="BusOptions"/>. It starts and stops with the host; a broker
    /// that is away delays neither the start nor anything else, and is used as soon as it is there.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">Which bus.</param>
    /// <param name="configure">Adds consumers, each with its definition; null where this process only sends.</param>
    /// <exception cref="BusException">A file that the options name cannot be read.</exception>
    public static IServiceCollection AddParallaxBus(this IServiceCollection services, BusOptions options, Action<IBusRegistrationConfigurator>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        if (!options.IsMemory)
        {
            _ = options.ReadPassword(); // a wrong file must fail the start
        }

        // MassTransit would tell its makers what it is used for. Both ways that it knows to say no.
        Environment.SetEnvironmentVariable("MASSTRANSIT_USAGE_TELEMETRY", "false");
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton(options);
        services.AddSingleton<BusInstruments>();
        services.AddSingleton<BusState>();
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            configure?.Invoke(bus);
            if (options.IsMemory)
            {
                bus.UsingInMemory(static (context, memory) => memory.ConfigureEndpoints(context));
            }
            else
            {
                bus.UsingRabbitMq((context, rabbit) =>
                {
                    rabbit.Host(options.Host, (ushort)options.Port, options.VirtualHost, Environment.MachineName, host =>
                    {
                        host.Username(options.User);
                        host.Password(options.ReadPassword());
                        host.PublisherConfirmation = true;
                        host.Heartbeat(TimeSpan.FromSeconds(10));
                        if (options.UsesTls)
                        {
                            host.UseSsl(tls => BusCertificates.Apply(options, tls));
                        }
                    });
                    rabbit.AutoStart = true; // the queue for answers is read from the start, so that the connection's state is known in a process that only sends
                    rabbit.OverrideDefaultBusEndpointQueueName($"{BusNames.ReplyPrefix}{Guid.NewGuid():n}");
                    rabbit.ConfigureEndpoints(context);
                });
            }
        });
        services.Configure<MassTransitHostOptions>(static host =>
        {
            host.WaitUntilStarted = false;
            host.StopTimeout = StopTime;
            host.ConsumerStopTimeout = ConsumerStopTime;
        });
        return services;
    }
}
