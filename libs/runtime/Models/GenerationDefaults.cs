using System.Collections.Immutable;

namespace Parallax.Runtime.Models;

/// <summary>What the model's files advise for generation; null where they say nothing.</summary>
public sealed record GenerationDefaults
{
    /// <summary>Ids that end an answer; empty when the files name none.</summary>
    public ImmutableArray<int> EosTokenIds { get; init; } = [];

    /// <summary>False: the files advise greedy decoding.</summary>
    public bool? DoSample { get; init; }

    /// <summary>Sampling temperature, 0 or more.</summary>
    public float? Temperature { get; init; }

    /// <summary>Probability mass kept, in (0, 1].</summary>
    public float? TopP { get; init; }

    /// <summary>Candidates kept; 0 keeps all.</summary>
    public int? TopK { get; init; }

    /// <summary>Least probability relative to the most probable token, in [0, 1].</summary>
    public float? MinP { get; init; }

    /// <summary>Repetition penalty, above 0; 1 is off.</summary>
    public float? RepetitionPenalty { get; init; }
}
