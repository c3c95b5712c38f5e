using MassTransit;

namespace Parallax.Bus;

/// <summary>Puts a message at the end of its queue.</summary>
public static class BusForwarding
{
    /// <summary>Sends the message that is being consumed to a queue again; returns when the broker has it for good.</summary>
    /// <param name="context">What is being consumed.</param>
    /// <param name="options">Which bus.</param>
    /// <param name="queue">The queue, of <see cref="BusNames"/>.</param>
    /// <param name="mark">Adds headers.</param>
    /// <exception cref="BusException">The bus does not take it now.</exception>
    public static async Task ForwardAsync<T>(ConsumeContext<T> context, BusOptions options, string queue, Action<SendHeaders> mark)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(mark);
        try
        {
            var endpoint = await context.GetSendEndpoint(BusAddresses.Of(options, queue));
            await endpoint.Send(
                context.Message,
                Pipe.Execute<SendContext<T>>(sending =>
                {
                    sending.MessageId = context.MessageId;
                    sending.RequestId = context.RequestId;
                    sending.ResponseAddress = context.ResponseAddress;
                    BusSending.Harden(sending);
                    mark(sending.Headers);
                }),
                context.CancellationToken);
        }
        catch (Exception problem) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw BusSending.Failed(options, problem);
        }
    }
}
