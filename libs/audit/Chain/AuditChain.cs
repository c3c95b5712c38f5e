using System.Security.Cryptography;
using Parallax.Audit.Events;

namespace Parallax.Audit.Chain;

/// <summary>
/// A stream's hash chain: every event carries the hash of the one before, so that none can be altered, removed from between,
/// put between, or moved without changing all that follow. Not thread-safe.
/// </summary>
public sealed class AuditChain
{
    /// <summary>What the first event of a stream carries in place of a hash.</summary>
    public const string Origin = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <param name="stream">The stream's name.</param>
    /// <param name="length">Events that it has.</param>
    /// <param name="head">The hash of the last one; <see cref="Origin"/> when it has none.</param>
    public AuditChain(string stream, long length = 0, string head = Origin) => (Stream, Length, Head) = (stream, length, head);

    /// <summary>The stream's name.</summary>
    public string Stream { get; }

    /// <summary>Its events.</summary>
    public long Length { get; private set; }

    /// <summary>The hash of the last one; <see cref="Origin"/> when it has none.</summary>
    public string Head { get; private set; }

    /// <summary>As checkpoints list it.</summary>
    public StreamHead ToStreamHead() => new(Stream, Length, Head);

    /// <summary>Chains an event to the others.</summary>
    public ChainedEvent Append(AuditEvent added, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(added);
        var record = new AuditRecord(Stream, Length + 1, at, Head, added);
        var payload = AuditCodec.Encode(record);
        Length++;
        Head = HashOf(payload.Span);
        return new ChainedEvent(Stream, Length, IdOf(Head), AuditCodec.TypeOf(added), payload, Head);
    }

    /// <summary>The hash of an event's payload: SHA-256, lower-case hex.</summary>
    public static string HashOf(ReadOnlySpan<byte> payload) => Convert.ToHexStringLower(SHA256.HashData(payload));

    /// <summary>The id of the event with a hash: its first 16 bytes.</summary>
    public static Guid IdOf(string hash) => new(Convert.FromHexString(hash.AsSpan(0, 32)), bigEndian: true);
}
