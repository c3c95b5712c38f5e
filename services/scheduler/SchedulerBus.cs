using MassTransit;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Parallax.Bus;
using Parallax.Scheduler.Audit;
using Parallax.Scheduler.Commands;

namespace Parallax.Scheduler;

/// <summary>Connects a scheduler to the bus.</summary>
public static class SchedulerBus
{
    /// <summary>
    /// Adds the bus with the scheduler's consumers: audit events into the event store, operators' commands, and questions about
    /// them. The host's scheduler carries commands out.
    /// </summary>
    /// <exception cref="BusException">A file that the options name cannot be read.</exception>
    public static IServiceCollection AddSchedulerBus(this IServiceCollection services, BusOptions options) =>
        services.AddSchedulerConsumers().AddParallaxBus(options, static bus => bus.AddSchedulerConsumers());

    /// <summary>
    /// Adds the bus with the consumer of audit events alone, for a host without a scheduler: into the <see cref="EventStore.IEventStore"/>
    /// that the host registers.
    /// </summary>
    public static IServiceCollection AddAuditIntake(this IServiceCollection services, BusOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<AuditInstruments>();
        services.TryAddSingleton<AuditIntake>();
        return services.AddParallaxBus(options, static bus => bus.AddConsumer<AuditBatchConsumer, AuditBatchConsumerDefinition>());
    }

    /// <summary>Adds what the consumers need, for a host that adds the bus itself, with <see cref="AddSchedulerConsumers(IBusRegistrationConfigurator)"/>.</summary>
    public static IServiceCollection AddSchedulerConsumers(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<AuditInstruments>();
        services.TryAddSingleton<AuditIntake>();
        services.TryAddSingleton<CommandInstruments>();
        services.TryAddSingleton<CommandStore>();
        services.AddHostedService<CommandRunner>();
        return services;
    }

    /// <summary>Adds the consumers to a bus.</summary>
    public static void AddSchedulerConsumers(this IBusRegistrationConfigurator bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        bus.AddConsumer<AuditBatchConsumer, AuditBatchConsumerDefinition>();
        bus.AddConsumer<SubmitCommandConsumer, SubmitCommandConsumerDefinition>();
        bus.AddConsumer<CommandStatusConsumer, CommandStatusConsumerDefinition>();
    }
}
