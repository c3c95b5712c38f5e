using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.Placement;

/// <summary>The machines at one instant. Their order never matters.</summary>
/// <param name="Nodes">All that may hold layers.</param>
/// <param name="RoundTrips">Measured round trips in milliseconds by (from, to); either direction will do; pairs that are absent are unknown.</param>
/// <param name="Unreachable">Pairs that cannot reach each other in either direction: never neighbours.</param>
public sealed record ClusterSnapshot(
    ImmutableArray<PlacementNode> Nodes,
    ImmutableDictionary<(string From, string To), double> RoundTrips,
    ImmutableHashSet<(string From, string To)> Unreachable)
{
    /// <summary>Nodes of which nothing is known but themselves.</summary>
    public static ClusterSnapshot Of(params ImmutableArray<PlacementNode> nodes) =>
        new(nodes, ImmutableDictionary<(string, string), double>.Empty, ImmutableHashSet<(string, string)>.Empty);
}

/// <summary>One machine.</summary>
/// <param name="Id">Its id: ties go by it.</param>
/// <param name="MemoryBytes">For weights, KV and scratch of all its layers.</param>
/// <param name="Tflops">10^12 floating point operations a second.</param>
/// <param name="BandwidthGBps">10^9 bytes read from memory a second.</param>
public sealed record PlacementNode(string Id, long MemoryBytes, double Tflops, double BandwidthGBps)
{
    /// <summary>Bytes of <see cref="MemoryBytes"/> that weights may take; null leaves it to what KV needs.</summary>
    public long? WeightBytesLimit { get; init; }

    /// <summary>What a layer's weights take on it, as a share of the shape's bytes: a device may store them in another precision.</summary>
    public double LayerWeightFactor { get; init; } = 1;

    /// <summary>What fails together with it; empty: itself alone.</summary>
    public string FailureDomain { get; init; } = "";

    /// <summary>Where it stands; empty: unknown.</summary>
    public string Region { get; init; } = "";

    /// <summary>Leaves: keeps what it has until others serve it, gets nothing new.</summary>
    public bool IsDraining { get; init; }

    /// <summary>Measured decode step times in milliseconds, by what was measured; they replace the estimate.</summary>
    public ImmutableArray<MeasuredStep> Measured { get; init; } = [];
}

/// <summary>A measured decode step.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Range">The layers that were computed.</param>
/// <param name="Batch">Sessions in the step.</param>
/// <param name="Milliseconds">How long it took.</param>
public sealed record MeasuredStep(string Model, LayerRange Range, int Batch, double Milliseconds);
