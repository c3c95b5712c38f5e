using System.Text;
using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;

namespace Parallax.Swarm.Telemetry;

/// <summary>What a worker announces of its KV blocks, signed by it: any member may publish on the bus, and only the worker speaks for itself.</summary>
public static class BlockEnvelope
{
    /// <summary>Bytes of a message at most.</summary>
    public const int MaxBytes = NewsLimits.MaxEnvelopeBytes;

    /// <summary>Bytes of what asks for announcements at most.</summary>
    public const int MaxAskBytes = 64;

    private const int MaxPublicKeyBytes = 256; // a P-256 key has 91

    /// <summary>Signs a batch.</summary>
    /// <param name="key">The worker's.</param>
    /// <param name="swarm">The swarm's id: what is said in one is not said in another.</param>
    /// <param name="batch">The batch, serialised.</param>
    public static byte[] Seal(PeerKey key, string swarm, ReadOnlySpan<byte> batch)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new SignedBlocks
        {
            Batch = ByteString.CopyFrom(batch),
            PublicKey = ByteString.CopyFrom(key.PublicKey.Span),
            Signature = ByteString.CopyFrom(key.Sign(Signed(swarm, batch))),
        }.ToByteArray();
    }

    /// <summary>Reads and verifies a message.</summary>
    /// <param name="swarm">The swarm's id.</param>
    /// <param name="worker">Who must have signed it: the peer id in the subject.</param>
    /// <param name="message">From anywhere.</param>
    /// <returns>The batch, serialised; null when the message is none of that worker's.</returns>
    public static ReadOnlyMemory<byte>? Open(string swarm, string worker, ReadOnlySpan<byte> message)
    {
        if (message.Length > MaxBytes)
        {
            return null;
        }

        SignedBlocks blocks;
        try
        {
            blocks = SignedBlocks.Parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException)
        {
            return null; // refused and counted by the caller
        }

        return blocks.PublicKey.Length <= MaxPublicKeyBytes
            && PeerId.OfPublicKey(blocks.PublicKey.Span).ToString() == worker
            && PeerKey.Verify(blocks.PublicKey.Span, Signed(swarm, blocks.Batch.Span), blocks.Signature.Span)
                ? blocks.Batch.Memory
                : (ReadOnlyMemory<byte>?)null; // without the type null would be converted to empty memory
    }

    private static byte[] Signed(string swarm, ReadOnlySpan<byte> batch) => [.. Encoding.UTF8.GetBytes($"parallax/blocks/1\n{swarm}\n"), .. batch];
}
