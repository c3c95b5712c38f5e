using System.Collections.Immutable;
using MassTransit;
using Parallax.Audit.Chain;
using Parallax.Audit.Outbox;
using Parallax.Contracts.Messages;

namespace Parallax.Bus.Audit;

/// <summary>
/// Audit events over the bus. With a broker, events are safe when it has confirmed them: they are persistent, in a durable queue, and
/// come back when there is no such queue. In memory they are safe only when the consumer has stored them, so its answer is waited for.
/// One call at a time keeps the order.
/// </summary>
internal sealed class BusAuditTransport(IBus bus, BusOptions options, TimeProvider clock, BusInstruments instruments) : IAuditTransport
{
    /// <summary>
    /// How long one message may take. A broker that is away is tried again by MassTransit at growing intervals; a fresh attempt of the
    /// caller notices sooner that it is back.
    /// </summary>
    private static readonly TimeSpan AttemptTime = TimeSpan.FromSeconds(10);

    private readonly Uri _address = BusAddresses.Of(options, BusNames.Audit);

    /// <inheritdoc/>
    /// <exception cref="BusException">The bus does not take them now.</exception>
    public async Task SendAsync(ImmutableArray<ChainedEvent> events, CancellationToken cancellationToken)
    {
        foreach (var batch in AuditBatches.Cut(events))
        {
            var startedAt = clock.GetTimestamp();
            try
            {
                await (options.IsMemory ? RequestAsync(batch, cancellationToken) : PublishAsync(batch, cancellationToken));
            }
            catch (Exception problem)
            {
                instruments.OnFailed();
                cancellationToken.ThrowIfCancellationRequested();
                throw BusSending.Failed(options, problem);
            }

            instruments.OnSent(clock.GetElapsedTime(startedAt), batch.Events.Count);
        }
    }

    private async Task PublishAsync(AuditBatch batch, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(AttemptTime, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        await BusSending.SendAsync(bus, _address, batch, either.Token);
    }

    // A second request while the first waits for the store would only lengthen the queue, so this one waits as long as its caller does.
    private async Task RequestAsync(AuditBatch batch, CancellationToken cancellationToken)
    {
        var answers = bus.CreateRequestClient<AuditBatch>(_address, RequestTimeout.None);
        await answers.GetResponse<AuditBatchStored>(batch, cancellationToken);
    }
}
