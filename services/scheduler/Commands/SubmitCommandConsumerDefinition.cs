using MassTransit;
using Parallax.Bus;

namespace Parallax.Scheduler.Commands;

/// <summary>The queue of commands: any scheduler may read, one at a time so that they are written down in the order in which they came.</summary>
internal sealed class SubmitCommandConsumerDefinition : ConsumerDefinition<SubmitCommandConsumer>
{
    private const long MostQueueBytes = 64L << 20;

    public SubmitCommandConsumerDefinition() => EndpointName = BusNames.Commands;

    /// <inheritdoc/>
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<SubmitCommandConsumer> consumerConfigurator, IRegistrationContext context) =>
        BusEndpoints.Configure(endpointConfigurator, BusNames.Commands, prefetch: 1, isSingleActive: true, MostQueueBytes);
}
