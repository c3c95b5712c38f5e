using System.Buffers;
using NATS.Client.Core;

namespace Parallax.Swarm.Telemetry;

/// <summary>A subscription that gives messages about KV blocks to whoever reads them; each is a sign of life, too.</summary>
internal sealed class BlockSubscription(NatsConnection connection, string subject, BlockExchange blocks, NewsInbox inbox)
    : NatsSubBase(connection, connection.SubscriptionManager, subject, queueGroup: null, opts: null)
{
    protected override ValueTask ReceiveInternalAsync(
        string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
    {
        inbox.NoteArrival();
        blocks.Arrived(subject, headersBuffer is not null, payloadBuffer);
        return ValueTask.CompletedTask;
    }

    protected override void TryComplete()
    {
        // The readers outlive connections.
    }
}
