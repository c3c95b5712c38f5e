using System.Text.Json.Serialization;

namespace Parallax.Router.Api.Responses;

/// <summary>The answer to a chat completion that was not streamed.</summary>
internal sealed record ChatCompletion(
    string Id,
    string Object,
    long Created,
    string Model,
    string SystemFingerprint,
    IReadOnlyList<ChatChoice> Choices,
    Usage Usage);

/// <summary>One choice, whole.</summary>
internal sealed record ChatChoice(
    int Index,
    AnswerMessage Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] ChoiceLogProbs? Logprobs,
    string FinishReason);

/// <summary>What the model said.</summary>
internal sealed record AnswerMessage(
    string Role,
    string Content,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Refusal);

/// <summary>One event of a streamed chat completion.</summary>
internal sealed record ChatChunk(
    string Id,
    string Object,
    long Created,
    string Model,
    string SystemFingerprint,
    IReadOnlyList<ChunkChoice> Choices,
    Usage? Usage);

/// <summary>One choice's part of an event.</summary>
internal sealed record ChunkChoice(
    int Index,
    ChunkDelta Delta,
    ChoiceLogProbs? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

/// <summary>What an event adds: the role first, then text.</summary>
internal sealed record ChunkDelta(string? Role, string? Content);

/// <summary>Log-probabilities of a choice's tokens.</summary>
internal sealed record ChoiceLogProbs(
    IReadOnlyList<TokenLogProbEntry> Content,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<TokenLogProbEntry>? Refusal);

/// <summary>A token, its natural log-probability, its bytes, and the most probable alternatives.</summary>
internal sealed record TokenLogProbEntry(
    string Token,
    double Logprob,
    IReadOnlyList<int> Bytes,
    IReadOnlyList<TokenLogProbEntry>? TopLogprobs);

/// <summary>Tokens used.</summary>
internal sealed record Usage(
    int PromptTokens,
    int CompletionTokens,
    int TotalTokens,
    PromptTokensDetails PromptTokensDetails);

/// <summary>Of the prompt's tokens, those that came from the prefix cache.</summary>
internal sealed record PromptTokensDetails(int CachedTokens);
