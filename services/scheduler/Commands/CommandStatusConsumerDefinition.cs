using MassTransit;
using Parallax.Bus;

namespace Parallax.Scheduler.Commands;

/// <summary>The queue of questions: all schedulers read it, a few at a time.</summary>
internal sealed class CommandStatusConsumerDefinition : ConsumerDefinition<CommandStatusConsumer>
{
    private const int Prefetch = 4;
    private const long MostQueueBytes = 16L << 20;

    public CommandStatusConsumerDefinition() => EndpointName = BusNames.CommandStatus;

    /// <inheritdoc/>
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<CommandStatusConsumer> consumerConfigurator, IRegistrationContext context) =>
        BusEndpoints.Configure(endpointConfigurator, BusNames.CommandStatus, Prefetch, isSingleActive: false, MostQueueBytes);
}
