using System.Text.Json;

namespace Parallax.Router.Api.Requests;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Content">The text (text parts joined by line breaks); null where the API allows none.</param>
internal sealed record ChatMessage(string Role, string? Content)
{
    public string? Name { get; init; }

    /// <summary>Which call a tool's message answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>The calls that an assistant's message made, as given; an array.</summary>
    public JsonElement? ToolCalls { get; init; }

    /// <summary>An assistant's reasoning, where the template shows it.</summary>
    public string? ReasoningContent { get; init; }
}
