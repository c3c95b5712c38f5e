using System.Collections.Immutable;

namespace Parallax.Runtime.Sampling;

/// <summary>
/// How a token is drawn from logits. The steps run in this order: repetition penalty (prompt and answer), frequency and
/// presence penalty (answer only), logit bias, temperature, top-k, top-p, min-p, softmax. Defaults switch each step off.
/// </summary>
public sealed record SamplingParameters
{
    /// <summary>Divides the logits; 0 takes the largest logit (ties to the lower id).</summary>
    public float Temperature { get; init; } = 1f;

    /// <summary>Keeps the k largest (ties of the k-th value stay); 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of most probable tokens whose mass reaches this; 1 keeps all.</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>Drops tokens less probable than this times the most probable; 0 keeps all.</summary>
    public float MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens seen in prompt or answer; 1 is off.</summary>
    public float RepetitionPenalty { get; init; } = 1f;

    /// <summary>Subtracted once from logits of tokens seen in the answer.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted per occurrence in the answer.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Added to the logits of given ids, in ascending id order.</summary>
    public ImmutableArray<KeyValuePair<int, float>> LogitBias { get; init; } = [];

    /// <summary>Seed of the counter-based generator; drawn at admission when the client gives none.</summary>
    public ulong Seed { get; init; }

    /// <summary>Which of the request's n choices this session generates.</summary>
    public int ChoiceIndex { get; init; }

    /// <summary>Alternatives per token to report log-probabilities of (0 to 20); null reports none at all.</summary>
    public int? TopLogProbs { get; init; }

    /// <summary>Ids that end the answer.</summary>
    public ImmutableArray<int> StopTokenIds { get; init; } = [];

    /// <summary>Stop ids cannot be drawn before this many tokens.</summary>
    public int MinTokens { get; init; }

    /// <summary>The answer's greatest length in tokens; at least 1.</summary>
    public required int MaxTokens { get; init; }
}
