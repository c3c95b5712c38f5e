using System.Globalization;
using System.Numerics;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>One field of Python's text formatting: what stands behind the colon in <c>{:&gt;8.2f}</c> or after a %.</summary>
internal sealed record FormatSpec
{
    // More than any float has digits; wider fields are padding, which the size limit bounds.
    private const int MaxPrecision = 400;

    /// <summary>'&lt;', '&gt;', '^' or '=' ; null takes the type's own.</summary>
    public char? Align { get; init; }

    public string Fill { get; init; } = " ";

    /// <summary>'+', ' ' or '-'.</summary>
    public char Sign { get; init; } = '-';

    public bool Alternate { get; init; }

    public int Width { get; init; }

    /// <summary>',' or '_' between groups of digits.</summary>
    public char? Grouping { get; init; }

    public int? Precision { get; init; }

    /// <summary>The presentation type, or '\0'.</summary>
    public char Type { get; init; }

    /// <summary>Reads <c>[[fill]align][sign][#][0][width][grouping][.precision][type]</c>.</summary>
    public static FormatSpec Parse(RenderState state, string text)
    {
        var position = 0;
        var spec = new FormatSpec();
        var first = text.Length > 1 && char.IsSurrogatePair(text, 0) ? 2 : 1;
        if (text.Length > first && IsAlign(text[first]))
        {
            spec = spec with { Fill = text[..first], Align = text[first] };
            position = first + 1;
        }
        else if (text.Length > 0 && IsAlign(text[0]))
        {
            spec = spec with { Align = text[0] };
            position = 1;
        }

        if (position < text.Length && text[position] is '+' or '-' or ' ')
        {
            spec = spec with { Sign = text[position++] };
        }

        if (position < text.Length && text[position] == '#')
        {
            spec = spec with { Alternate = true };
            position++;
        }

        if (position < text.Length && text[position] == '0')
        {
            spec = spec.Align is null ? spec with { Align = '=', Fill = "0" } : spec;
            position++;
        }

        spec = spec with { Width = ReadNumber(state, text, ref position) ?? 0 };
        if (position < text.Length && text[position] is ',' or '_')
        {
            spec = spec with { Grouping = text[position++] };
        }

        if (position < text.Length && text[position] == '.')
        {
            position++;
            spec = spec with
            {
                Precision = ReadNumber(state, text, ref position) ?? throw state.Fail("the format misses its precision"),
            };
        }

        if (position < text.Length)
        {
            spec = spec with { Type = text[position++] };
        }

        return position == text.Length ? spec : throw state.Fail($"the format '{text}' is not valid");
    }

    /// <summary>Reads digits at a position; null if there are none.</summary>
    public static int? ReadNumber(RenderState state, string text, ref int position)
    {
        var start = position;
        var number = 0L;
        for (; position < text.Length && char.IsAsciiDigit(text[position]); position++)
        {
            number = Math.Min((number * 10) + (text[position] - '0'), int.MaxValue);
        }

        if (number >= int.MaxValue / 2)
        {
            throw state.Fail(ChatTemplateFault.Limit, "a width or precision of a format is too large");
        }

        return position == start ? null : (int)number;
    }

    /// <summary>format(value, spec).</summary>
    public string Apply(RenderState state, TemplateValue value) => value.Kind switch
    {
        ValueKind.Integer or ValueKind.Boolean when Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%' =>
            FormatFloat(state, Arithmetic.ToDouble(state, value)),
        ValueKind.Boolean when Type == '\0' => Pad(state, "", value.AsBoolean ? "True" : "False", '<'),
        ValueKind.Integer or ValueKind.Boolean => FormatInteger(state, value.AsBig),
        ValueKind.Float => FormatFloat(state, value.AsFloat),
        _ => FormatText(state, PythonText.ToText(state, value)),
    };

    public string FormatText(RenderState state, string text)
    {
        if (Type is not ('\0' or 's') || Sign != '-' || Align == '=')
        {
            throw state.Fail("the format does not fit a text");
        }

        var kept = Precision is { } precision && precision < CodePoints.Count(text)
            ? text[..CodePoints.Offset(text, precision)]
            : text;
        return Pad(state, "", kept, '<');
    }

    public string FormatInteger(RenderState state, BigInteger value)
    {
        if (Precision is not null)
        {
            throw state.Fail("the format of an integer takes no precision");
        }

        var magnitude = BigInteger.Abs(value);
        var (prefix, digits, group) = Type switch
        {
            '\0' or 'd' or 'n' => ("", magnitude.ToString(CultureInfo.InvariantCulture), 3),
            'x' => ("0x", Hexadecimal(magnitude, "x"), 4),
            'X' => ("0X", Hexadecimal(magnitude, "X"), 4),
            'o' => ("0o", Radix(magnitude, 3), 4),
            'b' => ("0b", Radix(magnitude, 1), 4),
            _ => throw state.Fail($"the format type '{Type}' does not fit an integer"),
        };
        return Pad(state, SignText(value.Sign < 0) + (Alternate ? prefix : ""), Group(digits, group), '>');
    }

    public string FormatFloat(RenderState state, double value)
    {
        var negative = double.IsNegative(value) && !double.IsNaN(value);
        if (Precision > MaxPrecision)
        {
            throw state.Fail(ChatTemplateFault.Limit, $"the precision of a format exceeds {MaxPrecision}");
        }

        if (PythonFloat.NonFinite(Math.Abs(value)) is { } name)
        {
            return Pad(state, SignText(negative), char.IsUpper(Type) ? name.ToUpperInvariant() : name + (Type == '%' ? "%" : ""), '>');
        }

        var magnitude = Math.Abs(value);
        var text = Type switch
        {
            'f' or 'F' => PythonFloat.FixedDecimals(magnitude, Precision ?? 6),
            '%' => PythonFloat.FixedDecimals(magnitude * 100, Precision ?? 6) + "%",
            'e' or 'E' => Scientific(magnitude, Precision ?? 6),
            'g' or 'G' or 'n' => General(magnitude, Math.Max(Precision ?? 6, 1), keepPoint: false),
            '\0' when Precision is { } precision => General(magnitude, Math.Max(precision, 1), keepPoint: true),
            '\0' => PythonFloat.Repr(magnitude),
            _ => throw state.Fail($"the format type '{Type}' does not fit a float"),
        };
        return Pad(state, SignText(negative), Group(text, 3), '>');
    }

    private static bool IsAlign(char character) => character is '<' or '>' or '=' or '^';

    private static string Hexadecimal(BigInteger magnitude, string format)
    {
        // The library writes a leading zero to keep the sign bit clear.
        var digits = magnitude.ToString(format, CultureInfo.InvariantCulture).TrimStart('0');
        return digits.Length == 0 ? "0" : digits;
    }

    private static string Radix(BigInteger magnitude, int bitsPerDigit)
    {
        var count = (int)Math.Max(1, (magnitude.GetBitLength() + bitsPerDigit - 1) / bitsPerDigit);
        return string.Create(count, (magnitude, bitsPerDigit), static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
            {
                var digit = (source.magnitude >> ((target.Length - 1 - i) * source.bitsPerDigit)) & ((1 << source.bitsPerDigit) - 1);
                target[i] = (char)('0' + (int)digit);
            }
        });
    }

    private string SignText(bool negative) => negative ? "-" : Sign == '-' ? "" : Sign.ToString();

    private string Scientific(double magnitude, int precision)
    {
        var (digits, exponent) = PythonFloat.SignificantDigits(magnitude, precision + 1);
        var point = precision > 0 ? "." : Alternate ? "." : "";
        return $"{digits[0]}{point}{digits[1..]}{PythonFloat.ExponentText(Type == 'E' ? 'E' : 'e', exponent)}";
    }

    private string General(double magnitude, int precision, bool keepPoint)
    {
        var (digits, exponent) = PythonFloat.SignificantDigits(magnitude, precision);
        var isFixed = exponent >= -4 && exponent < (keepPoint && precision > 1 ? precision - 1 : precision);
        if (!isFixed)
        {
            var kept = Alternate ? digits : digits.TrimEnd('0').PadRight(1, '0');
            return $"{kept[0]}{(kept.Length > 1 ? "." : "")}{kept[1..]}{PythonFloat.ExponentText(Type == 'G' ? 'E' : 'e', exponent)}";
        }

        var text = exponent < 0
            ? $"0.{new string('0', -exponent - 1)}{digits}"
            : $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
        if (Alternate)
        {
            return text;
        }

        text = text.TrimEnd('0').TrimEnd('.');
        return keepPoint && !text.Contains('.', StringComparison.Ordinal) ? text + ".0" : text;
    }

    private string Group(string digits, int size)
    {
        if (Grouping is not { } separator)
        {
            return digits;
        }

        var end = 0;
        while (end < digits.Length && char.IsAsciiHexDigit(digits[end]))
        {
            end++;
        }

        var grouped = digits;
        for (var i = end - size; i > 0; i -= size)
        {
            grouped = grouped.Insert(i, separator.ToString());
        }

        return grouped;
    }

    private string Pad(RenderState state, string prefix, string text, char naturalAlign)
    {
        var missing = Width - prefix.Length - CodePoints.Count(text);
        state.Allocate(prefix.Length + text.Length + (Math.Max(missing, 0) * (long)Fill.Length));
        if (missing <= 0)
        {
            return prefix + text;
        }

        return (Align ?? naturalAlign) switch
        {
            '<' => prefix + text + Repeat(missing),
            '^' => Repeat(missing / 2) + prefix + text + Repeat(missing - (missing / 2)),
            '=' => prefix + Repeat(missing) + text,
            _ => Repeat(missing) + prefix + text,
        };
    }

    private string Repeat(int count) => Fill.Length == 1
        ? new string(Fill[0], count)
        : string.Concat(Enumerable.Repeat(Fill, count));
}
