using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Parallax.Cli.Chaos.Traffic;

/// <summary>Puts a streamed answer together from its events, over one connection or several. Pure.</summary>
internal sealed class AnswerCollector
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _logProbs = new();
    private string _finishReason = "";
    private string _fingerprint = "";
    private int _promptTokens;
    private int _answerTokens;

    /// <summary>The id of the last event, for a client that resumes; null before the first.</summary>
    public string? LastEventId { get; private set; }

    /// <summary>Index of the last token whose text has come; -1 for none.</summary>
    public int LastIndex { get; private set; } = -1;

    /// <summary>Whether the stream is complete.</summary>
    public bool IsDone { get; private set; }

    /// <summary>What the stream says has gone wrong; null if nothing.</summary>
    public string? Error { get; private set; }

    /// <summary>What has come.</summary>
    public StreamedAnswer Answer => new(_text.ToString(), _finishReason, LastIndex, _promptTokens, _answerTokens, _logProbs.ToString(), _fingerprint);

    /// <summary>Takes an event.</summary>
    /// <param name="id">Its id; empty for none.</param>
    /// <param name="data">Its data.</param>
    /// <exception cref="JsonException">The data is no event of a completion.</exception>
    public void Add(string id, string data)
    {
        if (data == "[DONE]")
        {
            IsDone = true;
            return;
        }

        using var document = JsonDocument.Parse(data);
        var root = document.RootElement;
        if (root.TryGetProperty("error", out var error))
        {
            Error = error.TryGetProperty("message", out var message) ? message.GetString() ?? "" : error.GetRawText();
            return;
        }

        TakeId(id);
        if (root.TryGetProperty("system_fingerprint", out var fingerprint))
        {
            _fingerprint = fingerprint.GetString() ?? "";
        }

        if (root.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
        {
            _promptTokens = usage.GetProperty("prompt_tokens").GetInt32();
            _answerTokens = usage.GetProperty("completion_tokens").GetInt32();
        }

        foreach (var choice in root.GetProperty("choices").EnumerateArray())
        {
            Take(choice);
        }
    }

    private void TakeId(string id)
    {
        if (id.Length == 0)
        {
            return;
        }

        LastEventId = id;
        if (int.TryParse(id.AsSpan(id.LastIndexOf(':') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
        {
            // An index that goes back is a token that came twice.
            Error = index < LastIndex ? $"after token {LastIndex} came token {index}" : Error;
            LastIndex = index;
        }
    }

    private void Take(JsonElement choice)
    {
        if (choice.TryGetProperty("delta", out var delta) && delta.TryGetProperty("content", out var content))
        {
            _text.Append(content.GetString());
        }

        if (choice.TryGetProperty("logprobs", out var logProbs) && logProbs.ValueKind == JsonValueKind.Object)
        {
            foreach (var token in logProbs.GetProperty("content").EnumerateArray())
            {
                _logProbs.Append(token.GetRawText()).Append('\n');
            }
        }

        if (choice.TryGetProperty("finish_reason", out var reason) && reason.ValueKind == JsonValueKind.String)
        {
            _finishReason = reason.GetString()!;
        }
    }
}
