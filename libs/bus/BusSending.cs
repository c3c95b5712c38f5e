using MassTransit;

namespace Parallax.Bus;

/// <summary>How messages that must not be lost are sent.</summary>
internal static class BusSending
{
    /// <summary>Sends; returns when the broker has the message on its disk in at least one queue.</summary>
    public static async Task SendAsync<T>(IBus bus, Uri address, T message, CancellationToken cancellationToken)
        where T : class
    {
        var endpoint = await bus.GetSendEndpoint(address).WaitAsync(cancellationToken);
        var sending = endpoint.Send(message, Pipe.Execute<SendContext<T>>(Harden), cancellationToken);
        await sending.WaitAsync(cancellationToken); // whatever the client's library does with the token
    }

    /// <summary>The error in the words of this library.</summary>
    public static BusException Failed(BusOptions options, Exception problem) => problem switch
    {
        BusException known => known,
        MessageReturnedException => new BusException(
            $"The broker at {options} has no queue for the message yet; it has one as soon as a scheduler with this bus has started.", problem),
        OperationCanceledException => new BusException($"The broker at {options} does not confirm in time; it is away, or full.", problem),
        _ => new BusException($"The bus at {options} does not take a message: {problem.Message}", problem),
    };

    public static void Harden(SendContext context)
    {
        context.Durable = true;
        if (context.TryGetPayload(out RabbitMqSendContext? rabbit))
        {
            rabbit.Mandatory = true;
            rabbit.AwaitAck = true;
        }
    }
}
