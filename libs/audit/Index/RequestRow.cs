using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Parallax.Audit.Index;

/// <summary>What is known of a request, from its events.</summary>
public sealed record RequestRow
{
    /// <summary>The request's id.</summary>
    public required string Id { get; init; }

    /// <summary>When it was first taken up.</summary>
    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How it stands.</summary>
    public required RequestStatus Status { get; init; }

    /// <summary>The model's name.</summary>
    public string Model { get; init; } = "";

    /// <summary>The hash of its files.</summary>
    public string Weights { get; init; } = "";

    /// <summary>The answer's <c>system_fingerprint</c>.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>The id of the API key; empty where none was needed.</summary>
    public string Key { get; init; } = "";

    /// <summary>Whose request it is.</summary>
    public string Client { get; init; } = "";

    /// <summary>Answers that were asked for.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Whether the client read along.</summary>
    public bool IsStream { get; init; }

    /// <summary>Length of the prompt.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Of those, how many came from caches.</summary>
    public int CachedTokens { get; init; }

    /// <summary>Tokens of all choices that were shown.</summary>
    public int CompletionTokens { get; init; }

    /// <summary>From acceptance to the first token; null before it ended.</summary>
    public double? FirstTokenMilliseconds { get; init; }

    /// <summary>From acceptance to the end.</summary>
    public double? Milliseconds { get; init; }

    /// <summary>How often a router took it up.</summary>
    public int Segments { get; init; }

    /// <summary>How often a stage of its path was lost.</summary>
    public int Losses { get; init; }

    /// <summary>How often it went on over another path.</summary>
    public int Reroutes { get; init; }

    /// <summary>The error's code; null where it did not fail.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>The error's text.</summary>
    public string? Error { get; init; }

    /// <summary>Workers that had a part in it, in order of their ids.</summary>
    public ImmutableArray<string> Workers { get; init; } = [];

    /// <summary>The segment that decides how it stands.</summary>
    [JsonIgnore]
    public string Segment { get; init; } = "";

    /// <summary>Tokens shown, by choice.</summary>
    [JsonIgnore]
    public ImmutableArray<int> Shown { get; init; } = [];
}
