using System.Text.Json;
using System.Text.Json.Nodes;
using Parallax.Router.Api;
using Parallax.Router.Api.Requests;
using Parallax.Runtime.ChatTemplates;
using Parallax.Runtime.Tokenization;

namespace Parallax.Router.Generation;

/// <summary>Renders conversations with the model's own chat template.</summary>
internal sealed class ChatTemplateRenderer : IPromptRenderer
{
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 64 };

    private readonly ChatTemplate _template;
    private readonly TemplateValue _bos;
    private readonly TemplateValue _eos;
    private readonly bool _knowsDeveloper;

    /// <exception cref="ChatTemplateException">The template cannot be read.</exception>
    public ChatTemplateRenderer(string source, string name, ITokenizer tokenizer)
    {
        _template = ChatTemplate.Parse(source, name);
        _bos = Text(tokenizer.BosToken);
        _eos = Text(tokenizer.EosToken);
        _knowsDeveloper = source.Contains("developer", StringComparison.Ordinal);
    }

    public string Render(IReadOnlyList<ChatMessage> messages, DateTimeOffset now)
    {
        try
        {
            var values = new Dictionary<string, TemplateValue>
            {
                ["messages"] = TemplateValue.FromList(messages.Select(ToValue)),
                ["add_generation_prompt"] = TemplateValue.From(true),
                ["tools"] = TemplateValue.None,
                ["documents"] = TemplateValue.None,
                ["bos_token"] = _bos,
                ["eos_token"] = _eos,
            };
            return _template.Render(values, RenderLimits.Default, new FixedTime(now));
        }
        catch (ChatTemplateException e) when (e.Fault == ChatTemplateFault.Raised)
        {
            throw ApiException.Invalid("messages", e.Problem, "chat_template_error");
        }
        catch (ChatTemplateException e)
        {
            throw ApiException.Invalid("messages", $"The model's chat template cannot render this conversation: {e.Message}", "chat_template_error");
        }
    }

    private static TemplateValue Text(string? text) => text is null ? TemplateValue.From("") : TemplateValue.From(text);

    private TemplateValue ToValue(ChatMessage message)
    {
        var fields = new List<KeyValuePair<string, TemplateValue>>
        {
            // "developer" is the API's newer name for "system"; most templates know the older one only.
            new("role", TemplateValue.From(message.Role == "developer" && !_knowsDeveloper ? "system" : message.Role)),
            new("content", message.Content is { } content ? TemplateValue.From(content) : TemplateValue.None),
        };
        Add("name", message.Name);
        Add("tool_call_id", message.ToolCallId);
        Add("reasoning_content", message.ReasoningContent);
        if (message.ToolCalls is { } calls)
        {
            fields.Add(new("tool_calls", TemplateValue.FromJson(WithParsedArguments(calls))));
        }

        return TemplateValue.FromMap(fields);

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                fields.Add(new(name, TemplateValue.From(value)));
            }
        }
    }

    /// <summary>The API carries a call's arguments as JSON in a text; templates expect the object.</summary>
    private static JsonElement WithParsedArguments(JsonElement calls)
    {
        var node = JsonArray.Create(calls)!;
        foreach (var call in node)
        {
            if (call is JsonObject { } fields
                && fields["function"] is JsonObject function
                && function["arguments"] is JsonValue value
                && value.TryGetValue<string>(out var text)
                && TryParseObject(text) is { } arguments)
            {
                function["arguments"] = arguments;
            }
        }

        using var document = JsonDocument.Parse(node.ToJsonString());
        return document.RootElement.Clone();
    }

    private static JsonObject? TryParseObject(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: Depth) as JsonObject;
        }
        catch (JsonException)
        {
            return null; // a model's own words, perhaps no JSON at all: the template gets the text
        }
    }

    /// <summary>
    /// A clock that stands still, in UTC: the same conversation gives the same prompt on every router, in every time zone.
    /// </summary>
    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => now.ToUniversalTime();
    }
}
