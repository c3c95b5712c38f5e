using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>Methods that cut, pad and join.</summary>
internal static partial class StringMethods
{
    private static readonly Signature JoinSignature = new("method 'join'", "iterable");
    private static readonly Signature ZeroFillSignature = new("method 'zfill'", "width");
    private static readonly Signature SplitLinesSignature = new("method 'splitlines'", "keepends?");

    /// <summary>Python's strip: whitespace, or any of the given characters.</summary>
    public static string StripText(RenderState state, string text, string? characters, bool start, bool end)
    {
        var (first, last) = (0, text.Length);
        while (start && first < last && IsStripped(text[first], characters))
        {
            first++;
        }

        while (end && last > first && IsStripped(text[last - 1], characters))
        {
            last--;
        }

        state.Charge((text.Length - (last - first)) >> 3);
        if (first == 0 && last == text.Length)
        {
            return text;
        }

        state.Allocate(last - first);
        return text[first..last];
    }

    public static List<string> Lines(RenderState state, string text, bool keepEnds)
    {
        var lines = new List<string>();
        for (var offset = 0; offset < text.Length;)
        {
            var (line, end) = PythonSpace.LineAt(text, offset);
            state.AllocateItems(1);
            state.Allocate(line + end);
            lines.Add(text.Substring(offset, keepEnds ? line + end : line));
            offset += line + end;
        }

        return lines;
    }

    private static bool IsStripped(char character, string? characters) =>
        characters is null ? PythonSpace.IsSpace(character) : characters.Contains(character);

    private static MethodFunction Strip(string name, bool start, bool end)
    {
        var signature = new Signature($"method '{name}'", "chars?");
        return (state, self, arguments) =>
        {
            var bound = arguments.Bind(state, signature);
            var characters = Arguments.IsAbsent(bound[0]) ? null : Arguments.Text(state, signature, bound, 0);
            state.ChargeScan(characters?.Length ?? 0);
            if (characters is { Length: > 64 })
            {
                // The set is searched for every character that is cut off.
                state.Charge((long)self.AsText.Length * characters.Length >> 5);
            }

            return Same(self, StripText(state, self.AsText, characters, start, end));
        };
    }

    private static MethodFunction Split(string name, bool fromEnd)
    {
        var signature = new Signature($"method '{name}'", "sep?", "maxsplit?");
        return (state, self, arguments) =>
        {
            var bound = arguments.Bind(state, signature);
            var limit = Arguments.Integer(state, signature, bound, 1, -1);
            limit = limit < 0 ? int.MaxValue : limit;
            state.Allocate(self.AsText.Length);
            List<string> parts;
            if (Arguments.IsAbsent(bound[0]))
            {
                parts = fromEnd ? WordsFromEnd(state, self.AsText, limit) : Words(state, self.AsText, limit);
            }
            else
            {
                var separator = Arguments.Text(state, signature, bound, 0);
                if (separator.Length == 0)
                {
                    throw state.Fail($"{signature.Owner} needs a separator that is not empty");
                }

                parts = fromEnd
                    ? PartsFromEnd(state, self.AsText, separator, limit)
                    : Parts(state, self.AsText, separator, limit);
            }

            return TemplateValue.List([.. parts.Select(part => Same(self, part))]);
        };
    }

    private static List<string> Parts(RenderState state, string text, string separator, int limit)
    {
        var search = new TextSearch(state, separator);
        var parts = new List<string>();
        var position = 0;
        for (; limit > 0; limit--)
        {
            var found = search.IndexIn(state, text, position);
            if (found < 0)
            {
                break;
            }

            state.AllocateItems(1);
            parts.Add(text[position..found]);
            position = found + separator.Length;
        }

        parts.Add(text[position..]);
        return parts;
    }

    private static List<string> PartsFromEnd(RenderState state, string text, string separator, int limit)
    {
        var parts = new List<string>();
        var end = text.Length;
        for (var at = end - separator.Length; at >= 0 && limit > 0; at--)
        {
            state.Charge(1 + (separator.Length >> 5));
            if (string.CompareOrdinal(text, at, separator, 0, separator.Length) == 0)
            {
                state.AllocateItems(1);
                parts.Add(text[(at + separator.Length)..end]);
                end = at;
                at -= separator.Length - 1;
                limit--;
            }
        }

        parts.Add(text[..end]);
        parts.Reverse();
        return parts;
    }

    private static List<string> Words(RenderState state, string text, int limit)
    {
        var words = new List<string>();
        for (var position = 0; ;)
        {
            state.Charge(1);
            while (position < text.Length && PythonSpace.IsSpace(text[position]))
            {
                position++;
            }

            if (position == text.Length)
            {
                return words;
            }

            state.AllocateItems(1);
            if (limit-- == 0)
            {
                words.Add(text[position..]);
                return words;
            }

            var start = position;
            while (position < text.Length && !PythonSpace.IsSpace(text[position]))
            {
                position++;
            }

            state.Charge((position - start) >> 3);
            words.Add(text[start..position]);
        }
    }

    private static List<string> WordsFromEnd(RenderState state, string text, int limit)
    {
        var words = new List<string>();
        for (var end = text.Length; ;)
        {
            state.Charge(1);
            while (end > 0 && PythonSpace.IsSpace(text[end - 1]))
            {
                end--;
            }

            if (end == 0)
            {
                break;
            }

            state.AllocateItems(1);
            if (limit-- == 0)
            {
                words.Add(text[..end]);
                break;
            }

            var stop = end;
            while (end > 0 && !PythonSpace.IsSpace(text[end - 1]))
            {
                end--;
            }

            state.Charge((stop - end) >> 3);
            words.Add(text[end..stop]);
        }

        words.Reverse();
        return words;
    }

    private static MethodFunction Partition(string name, bool last)
    {
        var signature = new Signature($"method '{name}'", "sep");
        return (state, self, arguments) =>
        {
            var separator = Arguments.Text(state, signature, arguments.Bind(state, signature), 0);
            if (separator.Length == 0)
            {
                throw state.Fail($"{signature.Owner} needs a separator that is not empty");
            }

            var text = self.AsText;
            state.AllocateItems(3);
            state.Allocate(text.Length);
            var found = last
                ? TextSearch.LastIndex(state, text, separator)
                : new TextSearch(state, separator).IndexIn(state, text, 0);
            if (found >= 0)
            {
                return TemplateValue.Tuple(
                    Same(self, text[..found]), Same(self, separator), Same(self, text[(found + separator.Length)..]));
            }

            return last
                ? TemplateValue.Tuple(TemplateValue.EmptyText, TemplateValue.EmptyText, self)
                : TemplateValue.Tuple(self, TemplateValue.EmptyText, TemplateValue.EmptyText);
        };
    }

    private static TemplateValue SplitLines(RenderState state, TemplateValue self, CallArguments arguments)
    {
        var bound = arguments.Bind(state, SplitLinesSignature);
        var lines = Lines(state, self.AsText, Arguments.Flag(bound, 0));
        return TemplateValue.List([.. lines.Select(line => Same(self, line))]);
    }

    private static TemplateValue Join(RenderState state, TemplateValue self, CallArguments arguments)
    {
        var items = Sequences.Items(state, arguments.Bind(state, JoinSignature)[0]);
        state.Charge(items.Length);
        var buffer = state.Rent();
        for (var i = 0; i < items.Length; i++)
        {
            if (!items[i].IsText)
            {
                Comparison.ThrowIfUndefined(state, items[i]);
                throw state.Fail($"method 'join' needs texts, item {i} is '{items[i].TypeName}'");
            }

            buffer.Write(state, i > 0 ? self.AsText : "");
            buffer.Write(state, items[i].AsText);
        }

        return Same(self, state.Return(buffer));
    }

    private static MethodFunction Justify(string name, Func<int, int, int> before)
    {
        var signature = new Signature($"method '{name}'", "width", "fillchar?");
        return (state, self, arguments) =>
        {
            var bound = arguments.Bind(state, signature);
            var width = Arguments.Integer(state, signature, bound, 0, 0);
            var fill = Arguments.Text(state, signature, bound, 1, " ");
            if (CodePoints.Count(fill) != 1)
            {
                throw state.Fail($"{signature.Owner} fills with one character");
            }

            var missing = width - CodePoints.Count(self.AsText);
            return missing <= 0 ? self : Same(self, PadText(state, self.AsText, fill, before(missing, width), missing));
        };
    }

    private static string PadText(RenderState state, string text, string fill, int before, int missing)
    {
        state.Allocate(text.Length + ((long)missing * fill.Length));
        state.Charge(missing >> 5);
        return fill.Length == 1
            ? text.PadLeft(text.Length + before, fill[0]).PadRight(text.Length + missing, fill[0])
            : string.Concat([.. Enumerable.Repeat(fill, before), text, .. Enumerable.Repeat(fill, missing - before)]);
    }

    private static TemplateValue ZeroFill(RenderState state, TemplateValue self, CallArguments arguments)
    {
        var bound = arguments.Bind(state, ZeroFillSignature);
        var missing = Arguments.Integer(state, ZeroFillSignature, bound, 0, 0) - CodePoints.Count(self.AsText);
        if (missing <= 0)
        {
            return self;
        }

        var sign = self.AsText.Length > 0 && self.AsText[0] is '+' or '-' ? 1 : 0;
        return Same(self, self.AsText[..sign] + PadText(state, self.AsText[sign..], "0", missing, missing));
    }
}
