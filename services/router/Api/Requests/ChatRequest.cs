using System.Collections.Immutable;

namespace Parallax.Router.Api.Requests;

/// <summary>A chat completion as the client asked for it, checked as far as that is possible without the model.</summary>
internal sealed record ChatRequest
{
    public required string Model { get; init; }

    public required ImmutableArray<ChatMessage> Messages { get; init; }

    /// <summary>Null here and below: what the model's files advise, else the API's default.</summary>
    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    /// <summary>0 keeps all.</summary>
    public int? TopK { get; init; }

    public float? MinP { get; init; }

    public float? RepetitionPenalty { get; init; }

    public float PresencePenalty { get; init; }

    public float FrequencyPenalty { get; init; }

    public ImmutableArray<KeyValuePair<int, float>> LogitBias { get; init; } = [];

    /// <summary>Null: follows from the request's id.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Choices (n).</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Texts that end the answer and are not part of it.</summary>
    public ImmutableArray<string> Stop { get; init; } = [];

    /// <summary>Token ids that end the answer, besides the model's own.</summary>
    public ImmutableArray<int> StopTokenIds { get; init; } = [];

    /// <summary>Whether the model's own end tokens are ordinary ones.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>Null: what the context leaves.</summary>
    public int? MaxTokens { get; init; }

    public int MinTokens { get; init; }

    /// <summary>Alternatives to report per token; null reports no log-probabilities.</summary>
    public int? TopLogProbs { get; init; }

    public bool Stream { get; init; }

    public bool IncludeUsage { get; init; }

    /// <summary>The client's name for its user: shares the machine fairly; no influence on the result.</summary>
    public string User { get; init; } = "";

    /// <summary>Separates prefix caches; equal salts share.</summary>
    public string CacheSalt { get; init; } = "";
}
