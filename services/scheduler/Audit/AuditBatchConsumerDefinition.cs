using MassTransit;
using Parallax.Bus;

namespace Parallax.Scheduler.Audit;

/// <summary>
/// The queue of audit events. One scheduler reads it at a time, so that two neither reorder nor repeat each other's work; another
/// takes over when it goes. What is being worked on is bounded, and so is the queue.
/// </summary>
internal sealed class AuditBatchConsumerDefinition : ConsumerDefinition<AuditBatchConsumer>
{
    private const int Prefetch = 16;
    private const long MostQueueBytes = 1L << 30;

    public AuditBatchConsumerDefinition() => EndpointName = BusNames.Audit;

    /// <inheritdoc/>
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<AuditBatchConsumer> consumerConfigurator, IRegistrationContext context) =>
        BusEndpoints.Configure(endpointConfigurator, BusNames.Audit, Prefetch, isSingleActive: true, MostQueueBytes);
}
