using System.Buffers;
using NATS.Client.Core;

namespace Parallax.Swarm.Telemetry;

/// <summary>
/// A subscription that gives every message to the inbox while it lies in the socket's buffer, so that nothing of it is kept
/// before it has been looked at.
/// </summary>
internal sealed class NatsSubscription(NatsConnection connection, NewsKind kind, string subject, NewsInbox inbox)
    : NatsSubBase(connection, connection.SubscriptionManager, subject, queueGroup: null, opts: null)
{
    protected override ValueTask ReceiveInternalAsync(
        string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
    {
        inbox.Arrived(kind, subject, headersBuffer is not null, payloadBuffer);
        return ValueTask.CompletedTask;
    }

    protected override void TryComplete()
    {
        // The inbox outlives connections.
    }
}
