using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>Methods that look for a text within another.</summary>
internal static partial class StringMethods
{
    private static readonly Signature CountSignature = new("method 'count'", "sub", "start?", "end?");
    private static readonly Signature ReplaceSignature = new("method 'replace'", "old", "new", "count?");

    public static string ReplaceText(RenderState state, string text, string old, string replacement, int count)
    {
        if (count == 0 || old.Length > text.Length)
        {
            return text;
        }

        var limit = count < 0 ? int.MaxValue : count;
        var buffer = state.Rent();
        if (old.Length == 0)
        {
            WriteInterleaved(state, buffer, text, replacement, limit);
            return state.Return(buffer);
        }

        var search = new TextSearch(state, old);
        var position = 0;
        for (; limit > 0; limit--)
        {
            var found = search.IndexIn(state, text, position);
            if (found < 0)
            {
                break;
            }

            buffer.Write(state, text.AsSpan(position, found - position));
            buffer.Write(state, replacement);
            position = found + old.Length;
        }

        buffer.Write(state, text.AsSpan(position));
        return state.Return(buffer);
    }

    /// <summary>Replacing the empty text inserts before every character and at the end.</summary>
    private static void WriteInterleaved(RenderState state, TextBuffer buffer, string text, string replacement, int limit)
    {
        var position = 0;
        while (true)
        {
            if (limit-- > 0)
            {
                buffer.Write(state, replacement);
            }

            if (position == text.Length)
            {
                return;
            }

            state.Charge(1);
            var width = CodePoints.Offset(text.AsSpan(position), 1);
            buffer.Write(state, text.AsSpan(position, width));
            position += width;
        }
    }

    private static TemplateValue Replace(RenderState state, TemplateValue self, CallArguments arguments)
    {
        var bound = arguments.Bind(state, ReplaceSignature);
        var (old, replacement) = (Arguments.Text(state, ReplaceSignature, bound, 0), Arguments.Text(state, ReplaceSignature, bound, 1));
        var count = Arguments.Integer(state, ReplaceSignature, bound, 2, -1);
        return Same(self, ReplaceText(state, self.AsText, old, replacement, count));
    }

    private static TemplateValue Count(RenderState state, TemplateValue self, CallArguments arguments)
    {
        var bound = arguments.Bind(state, CountSignature);
        var pattern = Arguments.Text(state, CountSignature, bound, 0);
        var (text, _) = Window(state, CountSignature, self, bound, 1);
        if (pattern.Length == 0)
        {
            return TemplateValue.From(CodePoints.Count(text) + 1);
        }

        var search = new TextSearch(state, pattern);
        var count = 0;
        for (var at = search.IndexIn(state, text, 0); at >= 0; at = search.IndexIn(state, text, at + pattern.Length))
        {
            count++;
        }

        return TemplateValue.From(count);
    }

    private static MethodFunction Find(string name, bool last, bool required)
    {
        var signature = new Signature($"method '{name}'", "sub", "start?", "end?");
        return (state, self, arguments) =>
        {
            var bound = arguments.Bind(state, signature);
            var pattern = Arguments.Text(state, signature, bound, 0);
            var (text, start) = Window(state, signature, self, bound, 1);
            var found = last
                ? TextSearch.LastIndex(state, text, pattern)
                : new TextSearch(state, pattern).IndexIn(state, text, 0);
            if (found < 0 && required)
            {
                throw state.Fail($"{signature.Owner} did not find the text");
            }

            return TemplateValue.From(found < 0 ? -1 : start + CodePoints.Count(text.AsSpan(0, found)));
        };
    }

    private static MethodFunction Affix(string name, bool atEnd)
    {
        var signature = new Signature($"method '{name}'", atEnd ? "suffix" : "prefix", "start?", "end?");
        return (state, self, arguments) =>
        {
            var bound = arguments.Bind(state, signature);
            var (text, _) = Window(state, signature, self, bound, 1);
            var affixes = bound[0].Kind == ValueKind.Tuple ? bound[0].AsArray : [bound[0]];
            state.Charge(affixes.Length);
            foreach (var affix in affixes)
            {
                Comparison.ThrowIfUndefined(state, affix);
                if (!affix.IsText)
                {
                    throw state.Fail($"{signature.Owner} needs a text, not '{affix.TypeName}'");
                }

                state.ChargeScan(affix.AsText.Length);
                if (atEnd ? text.EndsWith(affix.AsText, StringComparison.Ordinal) : text.StartsWith(affix.AsText, StringComparison.Ordinal))
                {
                    return TemplateValue.True;
                }
            }

            return TemplateValue.False;
        };
    }

    private static MethodFunction RemoveAffix(string name, bool atEnd)
    {
        var signature = new Signature($"method '{name}'", atEnd ? "suffix" : "prefix");
        return (state, self, arguments) =>
        {
            var affix = Arguments.Text(state, signature, arguments.Bind(state, signature), 0);
            var text = self.AsText;
            state.Allocate(text.Length);
            return Same(self, atEnd
                ? affix.Length > 0 && text.EndsWith(affix, StringComparison.Ordinal) ? text[..^affix.Length] : text
                : text.StartsWith(affix, StringComparison.Ordinal) ? text[affix.Length..] : text);
        };
    }

    /// <summary>self[start:end] for the methods that search in a part, and the code point where it starts.</summary>
    private static (string Text, long Start) Window(
        RenderState state, Signature signature, TemplateValue self, TemplateValue[] bound, int first)
    {
        if (Arguments.IsAbsent(bound[first]) && Arguments.IsAbsent(bound[first + 1]))
        {
            return (self.AsText, 0);
        }

        var length = CodePoints.Count(self.AsText);
        var start = Arguments.IsAbsent(bound[first]) ? 0 : Arguments.Integer(state, signature, bound, first, 0);
        var end = Arguments.IsAbsent(bound[first + 1]) ? length : Arguments.Integer(state, signature, bound, first + 1, 0);
        start = Math.Max(start < 0 ? start + length : start, 0);
        var slice = Sequences.Slice(
            state, self, TemplateValue.From(start), TemplateValue.From(Math.Max(end < 0 ? end + length : end, 0)), default);
        return (slice.AsText, start);
    }
}
