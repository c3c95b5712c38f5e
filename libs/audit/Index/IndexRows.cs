using System.Collections.Immutable;

namespace Parallax.Audit.Index;

/// <summary>A page of requests, newest first.</summary>
/// <param name="Data">The requests.</param>
/// <param name="Next">Asks for the page behind; null where there is none.</param>
public sealed record RequestPage(ImmutableArray<RequestRow> Data, string? Next);

/// <summary>What was used on a day.</summary>
/// <param name="Day">The day, UTC.</param>
/// <param name="Key">The API key's id; empty where none was needed.</param>
/// <param name="Client">The client.</param>
/// <param name="Model">The model.</param>
/// <param name="Requests">Requests that were taken up.</param>
/// <param name="Completed">Of those, how many were completed.</param>
/// <param name="PromptTokens">Tokens of prompts.</param>
/// <param name="CachedTokens">Of those, how many came from caches.</param>
/// <param name="CompletionTokens">Tokens of answers.</param>
public sealed record UsageRow(
    string Day, string Key, string Client, string Model, long Requests, long Completed, long PromptTokens, long CachedTokens, long CompletionTokens);

/// <summary>How often a worker was lost.</summary>
/// <param name="Worker">The worker; empty where a whole path was given up.</param>
/// <param name="Losses">How often a request lost it.</param>
/// <param name="Requests">How many requests did.</param>
/// <param name="LastAt">The last time.</param>
/// <param name="LastProblem">What was noticed then.</param>
public sealed record FailureRow(string Worker, long Losses, long Requests, DateTimeOffset LastAt, string LastProblem);
