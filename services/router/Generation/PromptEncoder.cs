using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Parallax.Router.Api;
using Parallax.Router.Api.Requests;
using Parallax.Runtime.Tokenization;

namespace Parallax.Router.Generation;

/// <summary>
/// Conversation to prompt ids. Special tokens mean something where the template writes them and are plain text where
/// a participant does: such text is marked before rendering and encoded apart.
/// </summary>
internal sealed class PromptEncoder
{
    // A noncharacter: no text may hold it, so that it cannot come from a client (JSON strings that do are cleaned).
    private const char Mark = '\uFDD0';

    private readonly ITokenizer _tokenizer;
    private readonly IPromptRenderer _renderer;
    private readonly Regex? _special;

    public PromptEncoder(ITokenizer tokenizer, IPromptRenderer renderer)
    {
        _tokenizer = tokenizer;
        _renderer = renderer;
        var contents = Enumerable.Range(0, tokenizer.VocabularySize)
            .Where(tokenizer.IsSpecial)
            .Select(id => tokenizer.Decode([id], skipSpecial: false))
            .Where(static content => content.Length > 0)
            .OrderByDescending(static content => content.Length)
            .Select(Regex.Escape);
        var pattern = string.Join('|', contents);
        _special = pattern.Length == 0 ? null : new Regex(pattern, RegexOptions.CultureInvariant);
    }

    /// <summary>The prompt's ids: a pure function of the arguments.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="now">The time that a template may show, in UTC.</param>
    /// <exception cref="ApiException">The conversation is none that the model's template takes.</exception>
    public ImmutableArray<int> Encode(IReadOnlyList<ChatMessage> messages, DateTimeOffset now)
    {
        if (_special is null || !messages.Any(HoldsSpecial))
        {
            return [.. _tokenizer.Encode(_renderer.Render(messages, now), parseSpecial: true, addSpecial: false)];
        }

        if (messages.Any(message => message.ToolCalls is { } calls && HoldsSpecial(calls)))
        {
            throw ApiException.Invalid("messages", "'tool_calls' holds the text of a special token of this model, which cannot be told apart from the token.", "invalid_value");
        }

        var marked = _renderer.Render([.. messages.Select(Marked)], now);
        var ids = ImmutableArray.CreateBuilder<int>();
        var plainFrom = 0;
        foreach (var match in _special.EnumerateMatches(marked))
        {
            AppendPlain(marked.AsSpan(plainFrom, match.Index - plainFrom), ids);
            ids.AddRange(_tokenizer.Encode(marked.Substring(match.Index, match.Length), parseSpecial: true, addSpecial: false));
            plainFrom = match.Index + match.Length;
        }

        AppendPlain(marked.AsSpan(plainFrom), ids);
        return ids.DrainToImmutable();
    }

    private void AppendPlain(ReadOnlySpan<char> text, ImmutableArray<int>.Builder ids)
    {
        if (text.Length > 0)
        {
            ids.AddRange(_tokenizer.Encode(text.ToString().Replace($"{Mark}", "", StringComparison.Ordinal), parseSpecial: false, addSpecial: false));
        }
    }

    private bool HoldsSpecial(ChatMessage message) =>
        HoldsSpecial(message.Content) || HoldsSpecial(message.ReasoningContent) || HoldsSpecial(message.Name)
        || (message.ToolCalls is { } calls && HoldsSpecial(calls));

    private bool HoldsSpecial(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => HoldsSpecial(value.GetString()),
        JsonValueKind.Array => value.EnumerateArray().Any(HoldsSpecial),
        JsonValueKind.Object => value.EnumerateObject().Any(member => HoldsSpecial(member.Name) || HoldsSpecial(member.Value)),
        _ => false,
    };

    private bool HoldsSpecial(string? text) => text is not null && _special!.IsMatch(text);

    private ChatMessage Marked(ChatMessage message) => message with
    {
        Content = Marked(message.Content),
        ReasoningContent = Marked(message.ReasoningContent),
        Name = Marked(message.Name),
    };

    private string? Marked(string? text)
    {
        if (text is null)
        {
            return null;
        }

        // A mark after every character of a special token: a template's own string operations (trim, split at
        // </think>) then still see the rest of the text as it is.
        var clean = text.Replace($"{Mark}", "", StringComparison.Ordinal);
        var marked = new StringBuilder(clean.Length + 16);
        var from = 0;
        foreach (var match in _special!.EnumerateMatches(clean))
        {
            marked.Append(clean, from, match.Index - from);
            foreach (var c in clean.AsSpan(match.Index, match.Length))
            {
                marked.Append(c).Append(Mark);
            }

            from = match.Index + match.Length;
        }

        return marked.Append(clean, from, clean.Length - from).ToString();
    }
}
