using Parallax.Contracts.Identifiers;
using Parallax.Overlay;

namespace Parallax.Swarm.Telemetry;

/// <summary>Limits that all members agree in.</summary>
public static class NewsLimits
{
    /// <summary>Bytes of an envelope at most: a record's value, and room for its key, signature and numbers.</summary>
    public const int MaxEnvelopeBytes = OverlayLimits.MaxValueBytes + 1024;

    /// <exception cref="ArgumentException">That is nothing to publish.</exception>
    internal static void Check(NewsKind kind, string worker, ReadOnlyMemory<byte> envelope)
    {
        if (!Enum.IsDefined(kind))
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such kind of news.");
        }

        if (kind == NewsKind.Worker ? !PeerId.TryParse(worker, out _) : worker is not "")
        {
            throw new ArgumentException($"'{worker}' does not say whose news it is: of a worker's record its peer id, else nothing.", nameof(worker));
        }

        if (envelope.Length is 0 or > MaxEnvelopeBytes)
        {
            throw new ArgumentException($"An envelope has 1 to {MaxEnvelopeBytes} bytes; this one has {envelope.Length}.", nameof(envelope));
        }
    }
}
