using Parallax.Overlay.Protocol;

namespace Parallax.Testing.Overlay;

/// <summary>What a simulated network is like.</summary>
internal sealed record SimulationSetup(int Seed)
{
    /// <summary>Share of messages that get lost; a call is two messages.</summary>
    public double Loss { get; init; }

    public TimeSpan ShortestLatency { get; init; } = TimeSpan.FromMilliseconds(5);

    public TimeSpan LongestLatency { get; init; } = TimeSpan.FromMilliseconds(75);

    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(1);

    public CoreSettings Settings { get; init; } = new();
}
