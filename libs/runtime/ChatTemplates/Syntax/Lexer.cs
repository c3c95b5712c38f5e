using System.Globalization;
using System.Numerics;
using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>
/// Cuts the source into tokens and settles whitespace: <c>-</c> and <c>+</c> at tags, the newline behind a tag
/// (<c>trim_blocks</c>), the blanks before a tag at the start of a line (<c>lstrip_blocks</c>).
/// </summary>
internal sealed class Lexer
{
    private const int MaxNumberLength = 1_000;

    // Longest first, so that "**" is not read as "*" twice.
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":",
        "|", ",", ";",
    ];

    private readonly string _source;
    private readonly SyntaxErrors _errors;
    private readonly List<Token> _tokens = [];
    private readonly Stack<Token> _brackets = new();
    private int _position;
    private int _line = 1;
    private int _countedTo;

    private Lexer(string source, SyntaxErrors errors)
    {
        _source = source;
        _errors = errors;
    }

    public static List<Token> Read(string source, SyntaxErrors errors)
    {
        if (source.Length > ParseLimits.MaxSourceLength)
        {
            throw errors.Limit(0, $"the source has {source.Length} characters; the limit is {ParseLimits.MaxSourceLength}");
        }

        var normal = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new Lexer(normal.EndsWith('\n') ? normal[..^1] : normal, errors);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_position < _source.Length)
        {
            ReadData();
        }

        Add(TokenKind.End, "", _source.Length);
    }

    /// <summary>Text up to the next tag, and that tag.</summary>
    private void ReadData()
    {
        var start = _position;
        var open = FindOpening(start);
        if (open < 0)
        {
            AddData(_source[start..], start);
            _position = _source.Length;
            return;
        }

        var kind = _source[open + 1];
        var sign = open + 2 < _source.Length ? _source[open + 2] : '\0';
        var text = _source[start..open];
        if (sign == '-')
        {
            text = PythonSpace.TrimEnd(text);
        }
        else if (sign != '+' && kind != '{')
        {
            text = StripLineStart(text, start);
        }

        AddData(text, start);
        _position = open + 2 + (sign is '-' or '+' ? 1 : 0);
        switch (kind)
        {
            case '#':
                SkipComment(open);
                break;
            case '{':
                Add(TokenKind.OutputBegin, "{{", open);
                ReadExpression("}}", TokenKind.OutputEnd, open);
                break;
            default:
                if (!TryReadRaw(open))
                {
                    Add(TokenKind.TagBegin, "{%", open);
                    ReadExpression("%}", TokenKind.TagEnd, open);
                }

                break;
        }
    }

    private int FindOpening(int start)
    {
        for (var open = _source.IndexOf('{', start); open >= 0 && open + 1 < _source.Length; open = _source.IndexOf('{', open + 1))
        {
            if (_source[open + 1] is '{' or '%' or '#')
            {
                return open;
            }
        }

        return -1;
    }

    /// <summary>Drops the blanks between the start of the line and the tag, if there is nothing else.</summary>
    private string StripLineStart(string text, int start)
    {
        var lineStart = text.LastIndexOf('\n') + 1;
        var atLineStart = lineStart > 0 || start == 0 || _source[start - 1] == '\n';
        return atLineStart && PythonSpace.TrimStart(text[lineStart..]).Length == 0 ? text[..lineStart] : text;
    }

    private void SkipComment(int open)
    {
        var close = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (close < 0)
        {
            throw Error(open, "comment", "it is never closed by '#}'");
        }

        var sign = close > _position ? _source[close - 1] : '\0';
        _position = close + 2;
        SkipAfterTag(sign);
    }

    /// <summary>Whitespace behind a closing tag: all of it after '-', one newline unless '+'.</summary>
    private void SkipAfterTag(char sign)
    {
        if (sign == '-')
        {
            while (_position < _source.Length && PythonSpace.IsSpace(_source[_position]))
            {
                _position++;
            }
        }
        else if (sign != '+' && _position < _source.Length && _source[_position] == '\n')
        {
            _position++;
        }
    }

    /// <summary><c>{% raw %} ... {% endraw %}</c>: the text between is taken as it stands.</summary>
    private bool TryReadRaw(int open)
    {
        if (!TryReadTagWord("raw", _position, out var afterWord) || !TryReadTagClose(afterWord, out var sign))
        {
            return false;
        }

        if (sign == '-')
        {
            SkipAfterTag('-');
        }

        var start = _position;
        for (var tag = _source.IndexOf("{%", start, StringComparison.Ordinal); tag >= 0; tag = _source.IndexOf("{%", tag + 2, StringComparison.Ordinal))
        {
            var before = tag + 2 < _source.Length ? _source[tag + 2] : '\0';
            var wordAt = tag + 2 + (before is '-' or '+' ? 1 : 0);
            if (TryReadTagWord("endraw", wordAt, out var afterEnd) && TryReadTagClose(afterEnd, out var endSign))
            {
                var text = _source[start..tag];
                AddData(before == '-' ? PythonSpace.TrimEnd(text) : before == '+' ? text : StripLineStart(text, start), start);
                SkipAfterTag(endSign);
                return true;
            }
        }

        throw Error(open, "tag 'raw'", "it is never closed by 'endraw'");
    }

    private bool TryReadTagWord(string word, int position, out int after)
    {
        while (position < _source.Length && PythonSpace.IsSpace(_source[position]))
        {
            position++;
        }

        after = position + word.Length;
        return string.CompareOrdinal(_source, position, word, 0, word.Length) == 0;
    }

    private bool TryReadTagClose(int position, out char sign)
    {
        while (position < _source.Length && PythonSpace.IsSpace(_source[position]))
        {
            position++;
        }

        sign = position < _source.Length && _source[position] is '-' or '+' ? _source[position] : '\0';
        position += sign == '\0' ? 0 : 1;
        if (string.CompareOrdinal(_source, position, "%}", 0, 2) != 0)
        {
            return false;
        }

        _position = position + 2;
        return true;
    }

    private void ReadExpression(string close, TokenKind closeKind, int open)
    {
        _brackets.Clear();
        while (true)
        {
            while (_position < _source.Length && PythonSpace.IsSpace(_source[_position]))
            {
                _position++;
            }

            if (_position >= _source.Length)
            {
                throw Error(open, closeKind == TokenKind.TagEnd ? "tag" : "output", $"it is never closed by '{close}'");
            }

            if (_brackets.Count == 0 && TryClose(close, closeKind))
            {
                return;
            }

            ReadToken();
        }
    }

    private bool TryClose(string close, TokenKind closeKind)
    {
        var sign = _source[_position] is '-' or '+' ? _source[_position] : '\0';
        var at = _position + (sign == '\0' ? 0 : 1);
        if ((sign == '+' && closeKind != TokenKind.TagEnd) || string.CompareOrdinal(_source, at, close, 0, close.Length) != 0)
        {
            return false;
        }

        Add(closeKind, close, _position);
        _position = at + close.Length;
        SkipAfterTag(sign == '\0' && closeKind == TokenKind.OutputEnd ? '+' : sign);
        return true;
    }

    private void ReadToken()
    {
        var character = _source[_position];
        if (char.IsAsciiDigit(character))
        {
            ReadNumber();
        }
        else if (character == '_' || char.IsLetter(character) || char.IsSurrogate(character))
        {
            ReadName();
        }
        else if (character is '\'' or '"')
        {
            ReadText(character);
        }
        else
        {
            ReadOperator();
        }
    }

    private void ReadName()
    {
        var start = _position;
        while (_position < _source.Length && (_source[_position] == '_' || char.IsLetterOrDigit(_source[_position])
            || char.GetUnicodeCategory(_source[_position]) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark))
        {
            _position++;
        }

        if (_position == start)
        {
            throw Error(start, "expression", $"the character U+{(int)_source[start]:X4} is not allowed here");
        }

        Add(TokenKind.Name, _source[start.._position], start);
    }

    private void ReadText(char quote)
    {
        var start = _position;
        var close = start + 1;
        while (close < _source.Length && _source[close] != quote)
        {
            close += _source[close] == '\\' ? 2 : 1;
        }

        if (close >= _source.Length)
        {
            throw Error(start, "text", "its quotation mark is never closed");
        }

        _position = close + 1;
        var line = LineAt(start);
        var text = StringLiteral.Decode(_source[(start + 1)..close], problem => _errors.At(line, "text", problem));
        _tokens.Add(new Token(TokenKind.Text, text, line, TemplateValue.From(text)));
    }

    private void ReadOperator()
    {
        var operation = Array.Find(
            Operators, candidate => string.CompareOrdinal(_source, _position, candidate, 0, candidate.Length) == 0);
        if (operation is null)
        {
            throw Error(_position, "expression", $"the character U+{(int)_source[_position]:X4} is not allowed here");
        }

        Add(TokenKind.Operator, operation, _position);
        if (operation is "(" or "[" or "{")
        {
            _brackets.Push(_tokens[^1]);
        }
        else if (operation is ")" or "]" or "}")
        {
            var expected = operation == ")" ? "(" : operation == "]" ? "[" : "{";
            if (!_brackets.TryPop(out var opened) || opened.Text != expected)
            {
                throw Error(_position, "expression", $"'{operation}' closes no '{expected}'");
            }
        }

        _position += operation.Length;
    }

    private void ReadNumber()
    {
        var start = _position;
        var radix = _source[start] == '0' && start + 1 < _source.Length
            ? char.ToLowerInvariant(_source[start + 1]) switch { 'b' => 2, 'o' => 8, 'x' => 16, _ => 10 }
            : 10;
        var prefixEnd = start + 2;
        if (radix != 10 && (_position = ReadDigits(prefixEnd, radix)) > prefixEnd)
        {
            AddInteger(_source[prefixEnd.._position], radix, start);
            return;
        }

        _position = ReadDigits(start, 10);
        var isFloat = false;

        // Behind a dot ("a.0.1") the number is a subscript, never a float.
        if (_tokens[^1].Is("."))
        {
            AddInteger(_source[start.._position], 10, start);
            return;
        }

        if (Peek(_position) == '.' && char.IsAsciiDigit(Peek(_position + 1)))
        {
            isFloat = true;
            _position = ReadDigits(_position + 1, 10);
        }

        if (Peek(_position) is 'e' or 'E')
        {
            var digits = _position + (Peek(_position + 1) is '+' or '-' ? 2 : 1);
            if (char.IsAsciiDigit(Peek(digits)))
            {
                isFloat = true;
                _position = ReadDigits(digits, 10);
            }
        }

        var text = _source[start.._position].Replace("_", "", StringComparison.Ordinal);
        if (isFloat)
        {
            Add(TokenKind.Number, text, start, TemplateValue.From(double.Parse(text, CultureInfo.InvariantCulture)));
            return;
        }

        if (text.Length > 1 && text[0] == '0' && text.Any(digit => digit != '0'))
        {
            throw Error(start, "number", $"'{text}' starts with a zero");
        }

        AddInteger(text, 10, start);
    }

    private char Peek(int position) => position < _source.Length ? _source[position] : '\0';

    /// <summary>Digits with single underscores between them.</summary>
    private int ReadDigits(int position, int radix)
    {
        while (IsDigit(Peek(position), radix) || (Peek(position) == '_' && IsDigit(Peek(position + 1), radix)))
        {
            position++;
        }

        return position;
    }

    private static bool IsDigit(char character, int radix) => radix switch
    {
        16 => char.IsAsciiHexDigit(character),
        10 => char.IsAsciiDigit(character),
        _ => character >= '0' && character < '0' + radix,
    };

    private void AddInteger(string digits, int radix, int start)
    {
        digits = digits.Replace("_", "", StringComparison.Ordinal);
        if (digits.Length > MaxNumberLength)
        {
            throw Error(start, "number", $"it has more than {MaxNumberLength} digits");
        }

        var value = BigInteger.Zero;
        foreach (var digit in digits)
        {
            value = (value * radix) + int.Parse([digit], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        Add(TokenKind.Number, digits, start, TemplateValue.From(value));
    }

    private void AddData(string text, int start)
    {
        if (text.Length > 0)
        {
            Add(TokenKind.Data, text, start);
        }
    }

    private void Add(TokenKind kind, string text, int position, TemplateValue value = default) =>
        _tokens.Add(new Token(kind, text, LineAt(position), value));

    /// <summary>Positions come in ascending order, so that the newlines are counted once.</summary>
    private int LineAt(int position)
    {
        for (; _countedTo < position; _countedTo++)
        {
            _line += _source[_countedTo] == '\n' ? 1 : 0;
        }

        return _line;
    }

    private ChatTemplateException Error(int position, string construct, string problem) =>
        _errors.At(1 + _source.AsSpan(0, position).Count('\n'), construct, problem);
}
