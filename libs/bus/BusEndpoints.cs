using MassTransit;

namespace Parallax.Bus;

/// <summary>What all queues have in common.</summary>
public static class BusEndpoints
{
    /// <summary>Sets a queue up: bounded concurrency, a fixed topology, and messages on disk.</summary>
    /// <param name="endpoint">What MassTransit configures.</param>
    /// <param name="queue">Its name, of <see cref="BusNames"/>.</param>
    /// <param name="prefetch">Messages that are worked on at once.</param>
    /// <param name="isSingleActive">Whether only one of several processes reads at a time.</param>
    /// <param name="mostBytes">Bytes that the queue keeps; it refuses more. 0: no limit of its own.</param>
    public static void Configure(IReceiveEndpointConfigurator endpoint, string queue, int prefetch, bool isSingleActive, long mostBytes)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.ConfigureConsumeTopology = false; // messages come by address, never by type
        endpoint.PublishFaults = false; // nobody listens, and the exchanges would need rights of their own
        endpoint.PrefetchCount = prefetch;
        endpoint.ConcurrentMessageLimit = prefetch;
        if (endpoint is not IRabbitMqReceiveEndpointConfigurator rabbit)
        {
            return;
        }

        rabbit.Durable = true;
        rabbit.Lazy = true;
        rabbit.SingleActiveConsumer = isSingleActive;
        if (mostBytes > 0)
        {
            rabbit.SetQueueArgument("x-max-length-bytes", mostBytes);
            rabbit.SetQueueArgument("x-overflow", "reject-publish");
        }

        rabbit.Bind(BusNames.EntryOf(queue));
    }
}
