namespace Parallax.Audit.Index;

/// <summary>How a request stands.</summary>
public enum RequestStatus
{
    /// <summary>A router has taken it up and has not ended it.</summary>
    Running,

    /// <summary>The whole answer was written.</summary>
    Completed,

    /// <summary>It ended with an error.</summary>
    Failed,

    /// <summary>The client went away.</summary>
    Cancelled,

    /// <summary>Its router was lost, and nobody has gone on with it.</summary>
    Lost,
}

/// <summary>Statuses as they are written.</summary>
public static class RequestStatuses
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<RequestStatus>().Select(Word)];

    /// <summary>As it is written for people and programs.</summary>
    public static string Word(this RequestStatus status) => status.ToString().ToLowerInvariant();

    /// <summary>Reads one.</summary>
    public static bool TryParse(string? text, out RequestStatus status) =>
        Enum.TryParse(text, ignoreCase: true, out status) && Enum.IsDefined(status) && string.Equals(text, status.Word(), StringComparison.OrdinalIgnoreCase);
}
