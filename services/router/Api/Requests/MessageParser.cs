using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Parallax.Router.Api.Requests;

/// <summary>Reads <c>messages</c>. Which roles and orders make sense is the chat template's to say.</summary>
internal static class MessageParser
{
    private const int MaxMessages = 16384;

    public static ImmutableArray<ChatMessage> Read(JsonElement value)
    {
        var entries = JsonValues.Array(value, "messages");
        return value.GetArrayLength() > MaxMessages
            ? throw ApiException.Invalid("messages", $"'messages' has {value.GetArrayLength()} entries; at most {MaxMessages} are allowed.", "invalid_value")
            : [.. entries.Select(static (entry, i) => ReadMessage(entry, $"messages[{i}]"))];
    }

    private static ChatMessage ReadMessage(JsonElement value, string path)
    {
        string? role = null;
        var message = new ChatMessage("", null);
        foreach (var field in JsonValues.Object(value, path))
        {
            var param = $"{path}.{field.Name}";
            var isNull = field.Value.ValueKind == JsonValueKind.Null;
            switch (field.Name)
            {
                case "role":
                    role = RequireRole(JsonValues.String(field.Value, param), param);
                    break;
                case "content":
                    message = message with { Content = isNull ? null : ReadContent(field.Value, param) };
                    break;
                case "name":
                    message = message with { Name = isNull ? null : JsonValues.String(field.Value, param) };
                    break;
                case "tool_call_id":
                    message = message with { ToolCallId = isNull ? null : JsonValues.String(field.Value, param) };
                    break;
                case "tool_calls":
                    message = message with { ToolCalls = isNull ? null : ReadToolCalls(field.Value, param) };
                    break;
                case "reasoning_content":
                    message = message with { ReasoningContent = isNull ? null : JsonValues.String(field.Value, param) };
                    break;
                case "refusal" or "annotations" or "audio" or "function_call" when isNull || IsEmptyArray(field.Value):
                    // What our own and other servers' answers carry back when a client appends them to the conversation.
                    break;
                default:
                    throw OtherFields.Unrecognised(param);
            }
        }

        if (role is null)
        {
            throw ApiException.Invalid($"{path}.role", $"'{path}' has no 'role'.", "missing_required_parameter");
        }

        // Only an assistant that called tools may have said nothing.
        return message.Content is null && !(role == "assistant" && (message.ToolCalls is not null || message.ReasoningContent is not null))
            ? throw ApiException.Invalid($"{path}.content", $"'{path}' has no 'content'.", "missing_required_parameter")
            : message with { Role = role };
    }

    private static bool IsEmptyArray(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0;

    private static string RequireRole(string role, string param) =>
        role is "system" or "developer" or "user" or "assistant" or "tool" or "function"
            ? role
            : throw ApiException.Invalid(param, $"'{param}' is '{role}'; it must be system, developer, user, assistant, tool or function.", "invalid_value");

    private static JsonElement? ReadToolCalls(JsonElement value, string param)
    {
        _ = JsonValues.Array(value, param);
        return value.GetArrayLength() == 0 ? null : value.Clone();
    }

    private static string ReadContent(JsonElement value, string param)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return JsonValues.String(value, param);
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw JsonValues.WrongType(value, param, "a string or an array of text parts");
        }

        var text = new StringBuilder();
        var index = 0;
        foreach (var part in value.EnumerateArray())
        {
            if (index > 0)
            {
                text.Append('\n');
            }

            text.Append(ReadPart(part, $"{param}[{index++}]"));
        }

        return text.ToString();
    }

    private static string ReadPart(JsonElement part, string path)
    {
        string? type = null;
        string? text = null;
        string? other = null;
        foreach (var field in JsonValues.Object(part, path))
        {
            var param = $"{path}.{field.Name}";
            switch (field.Name)
            {
                case "type":
                    type = JsonValues.String(field.Value, param);
                    break;
                case "text":
                    text = JsonValues.String(field.Value, param);
                    break;
                default:
                    other = param; // a picture's or a sound's payload: its type is the better error
                    break;
            }
        }

        if (type != "text")
        {
            throw ApiException.Invalid($"{path}.type", $"'{path}' is of type '{type}'; this model takes text parts only.", "unsupported_value");
        }

        if (other is not null)
        {
            throw OtherFields.Unrecognised(other);
        }

        return text ?? throw ApiException.Invalid($"{path}.text", $"'{path}' has no 'text'.", "missing_required_parameter");
    }
}
