namespace Parallax.Audit.Index;

/// <summary>Which requests; null asks for any.</summary>
public sealed record RequestFilter
{
    /// <summary>Taken up at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Taken up before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The model's name.</summary>
    public string? Model { get; init; }

    /// <summary>The client.</summary>
    public string? Client { get; init; }

    /// <summary>The API key's id.</summary>
    public string? Key { get; init; }

    /// <summary>How it stands.</summary>
    public RequestStatus? Status { get; init; }

    /// <summary>A worker that had a part in it.</summary>
    public string? Worker { get; init; }
}
