using System.Threading.Channels;

namespace Parallax.Swarm.Telemetry;

/// <summary>For swarms that have no bus: never connected, nothing arrives, what is published is heard by nobody.</summary>
public sealed class NoNews : ISwarmNews
{
    private readonly Channel<SwarmNews> _incoming = Channel.CreateBounded<SwarmNews>(1);
    private readonly TaskCompletionSource _never = new();

    /// <inheritdoc/>
    public string Name => "none";

    /// <inheritdoc/>
    public bool IsConnected => false;

    /// <inheritdoc/>
    public Task Changed => _never.Task;

    /// <inheritdoc/>
    public ChannelReader<SwarmNews> Incoming => _incoming.Reader;

    /// <inheritdoc/>
    public void Publish(NewsKind kind, string worker, ReadOnlyMemory<byte> envelope) => NewsLimits.Check(kind, worker, envelope);
}
