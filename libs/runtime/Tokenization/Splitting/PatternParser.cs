using System.Globalization;
using System.Text;

namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>
/// Reads the regular expressions that tokenizer.json files split text with (the regular part of Oniguruma's syntax,
/// look-ahead of one code point, possessive quantifiers over one set). Any other construct is refused by name.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxLength = 2048; // several times the longest in use
    private const int MaxDepth = 50;
    private const int MaxRepeat = 1000;

    private readonly string _text;
    private readonly Dictionary<CodePointSet, CodePointSet> _folded = []; // folding looks at each code point
    private int _at;
    private int _depth;
    private bool _ignoreCase;

    private PatternParser(string text) => _text = text;

    /// <summary>Parses a pattern.</summary>
    /// <exception cref="PatternException">Malformed, or a construct that is not supported.</exception>
    public static PatternNode Parse(string pattern)
    {
        if (pattern.Length > MaxLength)
        {
            throw new PatternException($"{pattern.Length} characters long; at most {MaxLength} are supported");
        }

        var parser = new PatternParser(pattern);
        var node = parser.ParseChoice();
        return parser._at == pattern.Length ? node : throw parser.Error("')' without '('");
    }

    /// <summary>The tree that matches a text literally.</summary>
    public static PatternNode Literal(string text)
    {
        var parts = new List<PatternNode>();
        foreach (var rune in text.EnumerateRunes())
        {
            parts.Add(new PatternNode.Point(CodePointSet.Of(rune.Value)));
        }

        return new PatternNode.Sequence(parts);
    }

    private bool More => _at < _text.Length;

    private PatternNode ParseChoice()
    {
        if (++_depth > MaxDepth)
        {
            throw Error($"groups nested deeper than {MaxDepth}");
        }

        var ignoreCase = _ignoreCase;
        var options = new List<PatternNode> { ParseSequence() };
        while (More && _text[_at] == '|')
        {
            _at++;
            options.Add(ParseSequence());
        }

        _ignoreCase = ignoreCase; // (?i) holds to the end of its group
        _depth--;
        return options.Count == 1 ? options[0] : new PatternNode.Choice(options);
    }

    private PatternNode ParseSequence()
    {
        var parts = new List<PatternNode>();
        while (More && _text[_at] is not ('|' or ')'))
        {
            if (ParseAtom() is { } atom)
            {
                parts.Add(ParseQuantifiers(atom));
            }
        }

        return parts.Count switch
        {
            0 => new PatternNode.Nothing(),
            1 => parts[0],
            _ => new PatternNode.Sequence(parts),
        };
    }

    private PatternNode? ParseAtom()
    {
        var c = _text[_at];
        switch (c)
        {
            case '(':
                return ParseGroup();
            case '[':
                _at++;
                return Point(ParseClass());
            case '.':
                _at++;
                return Point(CodePointSet.Of('\n').Complement());
            case '\\':
                return Point(ParseEscape());
            case '^' or '$':
                throw Error($"the anchor '{c}' is not supported");
            case '*' or '+' or '?':
                throw Error($"'{c}' repeats nothing");
            default:
                return Point(CodePointSet.Of(ReadLiteral()));
        }
    }

    private PatternNode? ParseGroup()
    {
        _at++;
        PatternNode? node;
        if (!Take("?"))
        {
            node = ParseChoice();
        }
        else if (Take("="))
        {
            node = new PatternNode.Before(LookAheadSet(), OrEnd: false);
        }
        else if (Take("!"))
        {
            node = new PatternNode.Before(LookAheadSet().Complement(), OrEnd: true);
        }
        else
        {
            node = ParseFlagGroup();
            if (node is null)
            {
                return null;
            }
        }

        if (!Take(")"))
        {
            throw Error("'(' without ')'");
        }

        return node;
    }

    /// <summary>Reads <c>(?:…)</c>, <c>(?i:…)</c>, <c>(?-i:…)</c>; null after <c>(?i)</c>, which has no body.</summary>
    private PatternNode? ParseFlagGroup()
    {
        var start = _at;
        var on = true;
        var ignoreCase = _ignoreCase;
        for (; More && _text[_at] is not (':' or ')'); _at++)
        {
            if (_text[_at] == '-')
            {
                on = false;
            }
            else if (_text[_at] == 'i')
            {
                ignoreCase = on;
            }
            else
            {
                throw Error($"the group '(?{_text.AsSpan(start, Math.Min(3, _text.Length - start))}' is not supported");
            }
        }

        if (Take(")"))
        {
            _ignoreCase = ignoreCase;
            return null;
        }

        if (!Take(":"))
        {
            throw Error("'(' without ')'");
        }

        var outer = _ignoreCase;
        _ignoreCase = ignoreCase;
        var node = ParseChoice();
        _ignoreCase = outer;
        return node;
    }

    private CodePointSet LookAheadSet() => AsSet(ParseChoice())
        ?? throw Error("a look-ahead over more than one code point is not supported");

    /// <summary>The set of a tree that always matches exactly one code point, else null.</summary>
    private static CodePointSet? AsSet(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Point point:
                return point.Set;
            case PatternNode.Choice choice:
                var union = CodePointSet.Empty;
                foreach (var option in choice.Options)
                {
                    if (AsSet(option) is not { } set)
                    {
                        return null;
                    }

                    union = union.Union(set);
                }

                return union;
            default:
                return null;
        }
    }

    private PatternNode ParseQuantifiers(PatternNode atom)
    {
        while (More)
        {
            var c = _text[_at];
            int min;
            int? max;
            if (c is '*' or '+' or '?')
            {
                _at++;
                (min, max) = c switch { '*' => (0, (int?)null), '+' => (1, null), _ => (0, 1) };
            }
            else if (c != '{' || !TryReadBounds(out min, out max))
            {
                break;
            }

            if (Take("+"))
            {
                atom = c == '{'
                    ? throw Error("'{…}+' means different things in different engines and is not supported")
                    : Possessive(atom, min, max);
            }
            else
            {
                atom = new PatternNode.Repeat(atom, min, max, Lazy: Take("?"));
            }
        }

        return atom;
    }

    /// <summary>A repeated set that gives nothing back is a greedy one that no member of the set may follow.</summary>
    private PatternNode Possessive(PatternNode atom, int min, int? max)
    {
        var set = AsSet(atom) ?? throw Error("a possessive quantifier over more than one set is not supported");
        var end = new PatternNode.Before(set.Complement(), OrEnd: true);
        return max is null
            ? new PatternNode.Sequence([new PatternNode.Repeat(atom, min, max, Lazy: false), end])
            : new PatternNode.Choice([atom, end]);
    }

    private bool TryReadBounds(out int min, out int? max)
    {
        (min, max) = (0, null);
        var close = _text.IndexOf('}', _at);
        if (close < 0)
        {
            return false;
        }

        var body = _text.AsSpan(_at + 1, close - _at - 1);
        var comma = body.IndexOf(',');
        var low = comma < 0 ? body : body[..comma];
        var high = comma < 0 ? body : body[(comma + 1)..];
        if (low.IsEmpty && high.IsEmpty)
        {
            return false;
        }

        if ((!low.IsEmpty && !TryNumber(low, out min)) || (!high.IsEmpty && !TryNumber(high, out _)))
        {
            return false; // a literal brace
        }

        if (!high.IsEmpty && TryNumber(high, out var limit))
        {
            max = limit;
        }

        if (min > MaxRepeat || max > MaxRepeat || max < min)
        {
            throw Error($"repeat bounds '{{{body}}}' out of order or above {MaxRepeat}");
        }

        _at = close + 1;
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<char> digits, out int value) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>Reads a class after its '[': members, ranges, nested classes, and intersections with '&amp;&amp;'.</summary>
    private CodePointSet ParseClass()
    {
        if (++_depth > MaxDepth)
        {
            throw Error($"classes nested deeper than {MaxDepth}");
        }

        var negative = Take("^");
        CodePointSet? intersection = null;
        var ranges = new List<(int First, int Last)>();
        var members = CodePointSet.Empty;
        while (true)
        {
            if (!More)
            {
                throw Error("'[' without ']'");
            }

            if (_text[_at] == ']')
            {
                _at++;
                break;
            }

            if (Take("[:"))
            {
                throw Error("POSIX brackets are not supported");
            }

            if (Take("&&"))
            {
                intersection = Intersect(members);
                members = CodePointSet.Empty;
                ranges.Clear();
            }
            else if (Take("["))
            {
                members = members.Union(ParseClass());
            }
            else
            {
                ParseMember(ranges, ref members);
            }
        }

        var set = Intersect(members);
        if (set.IsEmpty)
        {
            throw Error("an empty class");
        }

        if (_ignoreCase)
        {
            set = FoldCase(set);
        }

        _depth--;
        return negative ? set.Complement() : set;

        CodePointSet Intersect(CodePointSet last)
        {
            var sum = last.Union(CodePointSet.FromRanges(ranges));
            return intersection is null ? sum : intersection.Intersect(sum);
        }
    }

    private void ParseMember(List<(int First, int Last)> ranges, ref CodePointSet members)
    {
        if (ReadClassPoint(ref members) is not { } first)
        {
            return;
        }

        var isRange = _at + 1 < _text.Length && _text[_at] == '-' && _text[_at + 1] is not (']' or '[');
        if (!isRange)
        {
            ranges.Add((first, first));
            return;
        }

        _at++;
        var unused = CodePointSet.Empty;
        if (ReadClassPoint(ref unused) is not { } last || last < first)
        {
            throw Error("a class range out of order");
        }

        ranges.Add((first, last));
    }

    /// <summary>One code point of a class, or null when the escape was a set, which is added to the members.</summary>
    private int? ReadClassPoint(ref CodePointSet members)
    {
        if (_text[_at] != '\\')
        {
            return ReadLiteral();
        }

        var set = ParseEscape();
        if (set.Bounds is [var only, var same] && only == same)
        {
            return only;
        }

        members = members.Union(set);
        return null;
    }

    private CodePointSet ParseEscape()
    {
        _at++;
        if (!More)
        {
            throw Error("a '\\' at the end");
        }

        var c = _text[_at++];
        switch (c)
        {
            case 's':
                return UnicodeSets.WhiteSpace;
            case 'S':
                return UnicodeSets.WhiteSpace.Complement();
            case 'd':
                return UnicodeSets.DecimalDigits;
            case 'D':
                return UnicodeSets.DecimalDigits.Complement();
            case 'w':
                return UnicodeSets.Word;
            case 'W':
                return UnicodeSets.Word.Complement();
            case 'p' or 'P':
                return ParseProperty(negative: c == 'P');
            case 'n':
                return CodePointSet.Of('\n');
            case 'r':
                return CodePointSet.Of('\r');
            case 't':
                return CodePointSet.Of('\t');
            case 'f':
                return CodePointSet.Of('\f');
            case 'v':
                return CodePointSet.Of('\v');
            case 'x':
                return CodePointSet.Of(Take("{") ? ReadHex(until: '}') : ReadHex(digits: 2));
            case 'u':
                return CodePointSet.Of(ReadHex(digits: 4));
        }

        if (char.IsAsciiLetterOrDigit(c) || c > 0x7E)
        {
            throw Error($"the escape '\\{c}' is not supported");
        }

        return CodePointSet.Of(c);
    }

    private CodePointSet ParseProperty(bool negative)
    {
        var close = Take("{") ? _text.IndexOf('}', _at) : -1;
        if (close < 0)
        {
            throw Error("'\\p' without a name in braces");
        }

        var name = _text[_at..close];
        _at = close + 1;
        if (name.StartsWith('^'))
        {
            negative = !negative;
            name = name[1..];
        }

        var set = UnicodeSets.Category(name) ?? throw Error($"the Unicode property '{name}' is not supported");
        return negative ? set.Complement() : set;
    }

    private int ReadHex(int digits = 0, char until = '\0')
    {
        var end = until == '\0' ? _at + digits : _text.IndexOf(until, _at);
        if (end > _text.Length || end <= _at
            || !int.TryParse(_text.AsSpan(_at, end - _at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || (uint)value > CodePointSet.Last)
        {
            throw Error("a malformed hexadecimal escape");
        }

        _at = until == '\0' ? end : end + 1;
        return value;
    }

    private int ReadLiteral()
    {
        if (Rune.DecodeFromUtf16(_text.AsSpan(_at), out var rune, out var length) != System.Buffers.OperationStatus.Done)
        {
            throw Error("a lone surrogate");
        }

        _at += length;
        return rune.Value;
    }

    private PatternNode.Point Point(CodePointSet set) => new(_ignoreCase ? FoldCase(set) : set);

    private CodePointSet FoldCase(CodePointSet set)
    {
        if (!_folded.TryGetValue(set, out var folded))
        {
            folded = UnicodeSets.FoldCase(set);
            _folded.Add(set, folded);
        }

        return folded;
    }

    private bool Take(string token)
    {
        if (!_text.AsSpan(_at).StartsWith(token, StringComparison.Ordinal))
        {
            return false;
        }

        _at += token.Length;
        return true;
    }

    private PatternException Error(string problem) => new($"{problem} (at character {_at} of the pattern)");
}
