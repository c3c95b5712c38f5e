using System.Collections.Immutable;

namespace Parallax.Testing.Pipeline;

/// <summary>What is simulated.</summary>
internal sealed record PipelineSetup
{
    /// <summary>The stages' costs, head first.</summary>
    public required ImmutableArray<StepCost> Stages { get; init; }

    /// <summary>Sessions that decode from the start, without end.</summary>
    public required int Sessions { get; init; }

    /// <summary>One way, of each hop, the tail's to the head included.</summary>
    public double LatencyMs { get; init; }

    /// <summary>Of each link.</summary>
    public double BytesPerMs { get; init; } = 1e6;

    /// <summary>Of a row's hidden state.</summary>
    public int RowBytes { get; init; } = 8192;

    /// <summary>Cores that all stages share, in stages that can compute at full speed at once; infinite for own machines.</summary>
    public double Cores { get; init; } = double.PositiveInfinity;

    /// <summary>Each step takes up to this part more or less.</summary>
    public double Noise { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>M; null to tune it.</summary>
    public int? MicroBatches { get; init; }

    /// <summary>Rows of a step.</summary>
    public int TokenBudget { get; init; } = 512;

    /// <summary>Prefill rows of a step while sessions decode.</summary>
    public int MixedPrefillTokens { get; init; } = 64;
}
