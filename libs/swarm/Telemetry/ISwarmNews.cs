using System.Threading.Channels;

namespace Parallax.Swarm.Telemetry;

/// <summary>
/// A fast, advisory way for records to travel beside the overlay: nothing is lost when it is absent, only slower to notice.
/// Thread-safe.
/// </summary>
public interface ISwarmNews
{
    /// <summary>How it is called in <c>status</c>, e.g. <c>nats</c>.</summary>
    string Name { get; }

    /// <summary>Whether news travel now.</summary>
    bool IsConnected { get; }

    /// <summary>Completes at the next change of <see cref="IsConnected"/>: take this first, then look.</summary>
    Task Changed { get; }

    /// <summary>Sends a signed record to all members. Returns at once; when there is no connection it is dropped.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="worker">Of a worker's record its peer id in hex, else empty.</param>
    /// <param name="envelope">The signed overlay record, serialised.</param>
    void Publish(NewsKind kind, string worker, ReadOnlyMemory<byte> envelope);

    /// <summary>What others sent; not verified. One reader. Old ones are dropped when nobody reads.</summary>
    ChannelReader<SwarmNews> Incoming { get; }
}

/// <summary>What news are about.</summary>
public enum NewsKind
{
    /// <summary>A worker's record.</summary>
    Worker,

    /// <summary>A plan.</summary>
    Plan,

    /// <summary>What the swarm's key has revoked.</summary>
    Revocations,
}

/// <summary>A signed record as it came.</summary>
public readonly record struct SwarmNews(NewsKind Kind, ReadOnlyMemory<byte> Envelope);
