using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.Identity;

namespace Parallax.Testing.Telemetry;

/// <summary>A peer that makes envelopes: overlay records of the right form. Their signature is over the value alone.</summary>
public sealed class TestWorker : IDisposable
{
    private readonly PeerKey _key = PeerKey.Create();

    /// <summary>Its id in text.</summary>
    public string Id => _key.Id.ToString();

    /// <summary>An envelope around a text, signed.</summary>
    public byte[] Envelope(string value, long sequence = 1)
    {
        var bytes = ByteString.CopyFromUtf8(value);
        return new OverlayRecord
        {
            Key = ByteString.CopyFrom(new byte[20]),
            PublicKey = ByteString.CopyFrom(_key.PublicKey.Span),
            Incarnation = 1,
            Sequence = sequence,
            LeaseMs = 30_000,
            Value = bytes,
            Signature = ByteString.CopyFrom(_key.Sign(bytes.Span)),
        }.ToByteArray();
    }

    /// <summary>The text in an envelope.</summary>
    public static string ValueOf(ReadOnlyMemory<byte> envelope) => OverlayRecord.Parser.ParseFrom(envelope.Span).Value.ToStringUtf8();

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
