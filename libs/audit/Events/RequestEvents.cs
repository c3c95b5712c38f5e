using System.Collections.Immutable;

namespace Parallax.Audit.Events;

/// <summary>The first event of every segment: a router takes a request up, from its beginning or where another left it.</summary>
/// <param name="Request">The request's id.</param>
/// <param name="Writer">The peer id of the router's key.</param>
/// <param name="Term">Which run of that router.</param>
/// <param name="Previous">The segment before; null where this is the first.</param>
/// <param name="ResumedFrom">The event id that the client sent to go on from; null for an answer from its beginning.</param>
public sealed record SegmentOpened(string Request, string Writer, long Term, PreviousSegment? Previous, string? ResumedFrom) : AuditEvent;

/// <summary>What a router knew of the segment before its own.</summary>
/// <param name="Stream">Its stream; null where it is unknown.</param>
/// <param name="Length">Events that were seen of it.</param>
/// <param name="Head">The hash of the last one seen; null where it is unknown.</param>
public sealed record PreviousSegment(string? Stream, long Length, string? Head)
{
    /// <summary>There is one, and nothing is known of it.</summary>
    public static PreviousSegment Unknown { get; } = new(null, 0, null);
}

/// <summary>A request was admitted: all that is needed to generate its answer again.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Weights">The hash of its files, as ids of numeric classes carry it.</param>
/// <param name="NumericClass">The arithmetic that fixes the answer.</param>
/// <param name="Fingerprint">The answer's <c>system_fingerprint</c>.</param>
/// <param name="Key">The id of the API key that asked; empty where none was needed.</param>
/// <param name="Client">Whose request it is, as the router tells clients apart.</param>
/// <param name="Choices">Answers that are asked for.</param>
/// <param name="IsStream">Whether the client reads along.</param>
/// <param name="PromptTokens">Length of the prompt.</param>
/// <param name="Prompt">Its token ids; null where contents are kept as hashes.</param>
/// <param name="PromptHash">Of the token ids (<see cref="Chain.ContentHash"/>).</param>
/// <param name="HashKey">The id of the key that hashes are made with; null where they are plain.</param>
/// <param name="CacheSalt">What separates its prefix caches; null where contents are kept as hashes.</param>
/// <param name="Sampling">How tokens are drawn.</param>
/// <param name="Stop">Texts that end the answer; null where contents are kept as hashes.</param>
public sealed record RequestAccepted(
    string Model,
    string Weights,
    string NumericClass,
    string Fingerprint,
    string Key,
    string Client,
    int Choices,
    bool IsStream,
    int PromptTokens,
    ImmutableArray<int>? Prompt,
    string PromptHash,
    string? HashKey,
    string? CacheSalt,
    SamplingRecord Sampling,
    ImmutableArray<string>? Stop) : AuditEvent;

/// <summary>How tokens were drawn (<see cref="Runtime.Sampling.SamplingParameters"/>, without what names contents).</summary>
public sealed record SamplingRecord(
    ulong Seed,
    float Temperature,
    int TopK,
    float TopP,
    float MinP,
    float RepetitionPenalty,
    float PresencePenalty,
    float FrequencyPenalty,
    int MinTokens,
    int MaxTokens,
    int? TopLogProbs,
    ImmutableArray<int> StopTokenIds,
    ImmutableArray<LogitBiasRecord> LogitBias);

/// <summary>A token that is made more or less likely.</summary>
public sealed record LogitBiasRecord(int Token, float Bias);

/// <summary>One stage of a path.</summary>
/// <param name="Worker">The worker's id.</param>
/// <param name="Start">Its first layer.</param>
/// <param name="End">The layer behind its last.</param>
public sealed record StageRecord(string Worker, int Start, int End);

/// <summary>A path was chosen for a choice of the request.</summary>
/// <param name="Choice">Which.</param>
/// <param name="Session">The session's id at the workers.</param>
/// <param name="Epoch">The epoch that it is used in.</param>
/// <param name="Stages">The path.</param>
/// <param name="Reason">Why this one.</param>
public sealed record RouteChosen(int Choice, string Session, long Epoch, ImmutableArray<StageRecord> Stages, string Reason) : AuditEvent;

/// <summary>A stage of the path is lost.</summary>
/// <param name="Choice">Whose path.</param>
/// <param name="Epoch">The epoch of that path.</param>
/// <param name="Worker">The worker that is lost; empty where the whole path is given up.</param>
/// <param name="Tokens">Tokens of the answer that had come.</param>
/// <param name="Problem">What was noticed.</param>
public sealed record StageLost(int Choice, long Epoch, string Worker, int Tokens, string Problem) : AuditEvent;

/// <summary>The request goes on over another path.</summary>
/// <param name="Choice">Which.</param>
/// <param name="Epoch">The epoch from here on.</param>
/// <param name="Stages">The new path.</param>
/// <param name="Kept">How many of its stages keep their state.</param>
/// <param name="SeekMilliseconds">From the noticed loss to this choice.</param>
public sealed record Rerouted(int Choice, long Epoch, ImmutableArray<StageRecord> Stages, int Kept, double SeekMilliseconds) : AuditEvent;

/// <summary>Tokens were shown to the client, or are about to be.</summary>
/// <param name="Choice">Of which choice.</param>
/// <param name="First">Index of the first one in the answer.</param>
/// <param name="Count">How many.</param>
/// <param name="Ids">The tokens; null where contents are kept as hashes.</param>
/// <param name="Hash">Of the token ids (<see cref="Chain.ContentHash"/>).</param>
public sealed record TokensEmitted(int Choice, int First, int Count, ImmutableArray<int>? Ids, string Hash) : AuditEvent;

/// <summary>One choice is complete.</summary>
/// <param name="Choice">Which.</param>
/// <param name="Reason">The finish reason.</param>
/// <param name="Tokens">Its length.</param>
public sealed record ChoiceCompleted(int Choice, string Reason, int Tokens) : AuditEvent;

/// <summary>The whole answer was written. Ends the segment.</summary>
/// <param name="PromptTokens">Usage: the prompt's length.</param>
/// <param name="CachedTokens">Of those, how many came from caches.</param>
/// <param name="CompletionTokens">Usage: tokens of all choices.</param>
/// <param name="FirstTokenMilliseconds">From acceptance to the first token.</param>
/// <param name="Milliseconds">From acceptance to the end.</param>
public sealed record RequestCompleted(
    int PromptTokens, int CachedTokens, int CompletionTokens, double FirstTokenMilliseconds, double Milliseconds) : AuditEvent;

/// <summary>The request ended with an error. Ends the segment.</summary>
/// <param name="Status">HTTP status that the client saw, or would have seen.</param>
/// <param name="Code">The error's code.</param>
/// <param name="Message">Its text.</param>
/// <param name="CompletionTokens">Tokens of all choices that had been shown.</param>
public sealed record RequestFailed(int Status, string Code, string Message, int CompletionTokens) : AuditEvent;

/// <summary>The client went away. Ends the segment.</summary>
/// <param name="CompletionTokens">Tokens of all choices that had been shown.</param>
public sealed record RequestCancelled(int CompletionTokens) : AuditEvent;

/// <summary>
/// The router was lost in the midst of the request: written by its next run for what its log says had been shown. Ends the segment.
/// </summary>
/// <param name="CompletionTokens">Tokens of all choices that had been shown.</param>
public sealed record RouterLost(int CompletionTokens) : AuditEvent;
