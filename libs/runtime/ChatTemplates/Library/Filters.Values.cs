using System.Globalization;
using System.Numerics;
using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>Filters on numbers and single values.</summary>
internal static partial class Filters
{
    private const int MaxNumberLength = 4_300;

    private static TemplateValue Default(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var replace = value.IsUndefined || (Arguments.Flag(bound, 1) && !Truth.Of(value));
        return !replace ? value : bound[0].IsMissing ? TemplateValue.EmptyText : bound[0];
    }

    /// <summary>An attribute proper: keys of a mapping do not count.</summary>
    private static TemplateValue Attribute(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        Comparison.ThrowIfUndefined(state, value);
        var name = PythonText.ToText(state, bound[0]);
        if (value.Kind == ValueKind.Map && Lookup.Method(value, name) is null)
        {
            return TemplateValue.Undefined(new UndefinedOrigin(name, value.TypeName));
        }

        return Lookup.Attribute(state, value, name);
    }

    private static TemplateValue Absolute(RenderState state, TemplateValue value)
    {
        Comparison.ThrowIfUndefined(state, value);
        return value.Kind switch
        {
            ValueKind.Integer or ValueKind.Boolean => TemplateValue.From(BigInteger.Abs(value.AsBig)),
            ValueKind.Float => TemplateValue.From(Math.Abs(value.AsFloat)),
            _ => throw state.Fail($"'{value.TypeName}' is not a number"),
        };
    }

    private static TemplateValue Round(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        Comparison.ThrowIfUndefined(state, value);
        var precision = WholeNumber(state, bound[0], 0, "'precision'");
        var method = bound[1].IsMissing ? "common" : PythonText.ToText(state, bound[1]);
        if (!value.IsNumber || method is not ("common" or "ceil" or "floor"))
        {
            throw state.Fail(value.IsNumber ? "'method' must be common, ceil or floor" : $"'{value.TypeName}' is not a number");
        }

        if (method == "common")
        {
            // Jinja keeps integers as they are: round() of an integer with a precision is an integer.
            return value.IsIntegral && precision >= 0
                ? TemplateValue.From(value.AsBig)
                : TemplateValue.From(PythonFloat.Round(Arithmetic.ToDouble(state, value), precision));
        }

        if (Math.Abs(precision) > 300)
        {
            throw state.Fail("'precision' must lie between -300 and 300");
        }

        var scale = Arithmetic.ToDouble(state, Arithmetic.Power(state, TemplateValue.From(10), TemplateValue.From(precision)));
        var scaled = Arithmetic.ToDouble(state, value) * scale;
        return TemplateValue.From((method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) / scale);
    }

    private static TemplateValue ToFloat(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        Comparison.ThrowIfUndefined(state, value);
        if (value.IsNumber)
        {
            return TemplateValue.From(Arithmetic.ToDouble(state, value));
        }

        return value.IsText && TryParseFloat(state, value.AsText, out var number) ? TemplateValue.From(number)
            : bound[0].IsMissing ? TemplateValue.From(0.0)
            : bound[0];
    }

    private static TemplateValue ToInteger(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        Comparison.ThrowIfUndefined(state, value);
        var otherwise = bound[0].IsMissing ? TemplateValue.From(0) : bound[0];
        switch (value.Kind)
        {
            case ValueKind.Integer or ValueKind.Boolean:
                return TemplateValue.From(value.AsBig);
            case ValueKind.Float:
                return double.IsFinite(value.AsFloat) ? TemplateValue.From(new BigInteger(Math.Truncate(value.AsFloat))) : otherwise;
            case ValueKind.Text:
                var radix = WholeNumber(state, bound[1], 10, "'base'");
                if (TryParseInteger(state, value.AsText, radix, out var number))
                {
                    return TemplateValue.From(number);
                }

                // "42.23" gives 42.
                return TryParseFloat(state, value.AsText, out var real) && double.IsFinite(real)
                    ? TemplateValue.From(new BigInteger(Math.Truncate(real)))
                    : otherwise;
            default:
                return otherwise;
        }
    }

    private static bool TryParseInteger(RenderState state, string text, int radix, out BigInteger number)
    {
        number = default;
        if (radix is not (0 or (>= 2 and <= 36)))
        {
            return false;
        }

        if (!TryClean(state, text, out var digits))
        {
            return false;
        }

        var negative = digits[0] == '-';
        digits = digits[0] is '+' or '-' ? digits[1..] : digits;
        if (digits.Length > 2 && digits[0] == '0' && char.IsAsciiLetter(digits[1]))
        {
            var implied = char.ToUpperInvariant(digits[1]) switch { 'X' => 16, 'O' => 8, 'B' => 2, _ => -1 };
            if (radix == implied || (radix == 0 && implied > 0))
            {
                (radix, digits) = (implied, digits[2..].TrimStart('_'));
            }
        }

        radix = radix == 0 ? 10 : radix;
        if (digits.Length == 0 || digits[0] == '_' || digits[^1] == '_' || digits.Contains("__", StringComparison.Ordinal))
        {
            return false;
        }

        foreach (var character in digits)
        {
            if (character == '_')
            {
                continue;
            }

            var digit = char.IsAsciiDigit(character) ? character - '0'
                : char.IsAsciiLetter(character) ? char.ToUpperInvariant(character) - 'A' + 10
                : (int)char.GetNumericValue(character);
            if (digit < 0 || digit >= radix)
            {
                return false;
            }

            number = (number * radix) + digit;
        }

        number = negative ? -number : number;
        return true;
    }

    private static bool TryParseFloat(RenderState state, string text, out double number)
    {
        number = 0;
        if (!TryClean(state, text, out var cleaned))
        {
            return false;
        }

        var unsigned = cleaned.TrimStart('+', '-').ToUpperInvariant();
        if (cleaned.Length - unsigned.Length <= 1 && unsigned is "INF" or "INFINITY" or "NAN")
        {
            number = unsigned == "NAN" ? double.NaN : cleaned[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return cleaned.All(character => char.IsAsciiDigit(character) || character is '+' or '-' or '.' or 'e' or 'E')
            && double.TryParse(cleaned, style, CultureInfo.InvariantCulture, out number);
    }

    private static bool TryClean(RenderState state, string text, out string cleaned)
    {
        cleaned = PythonSpace.TrimStart(PythonSpace.TrimEnd(text));
        state.ChargeScan(text.Length);
        if (cleaned.Length > MaxNumberLength)
        {
            throw state.Fail(ChatTemplateFault.Limit, $"a number has more than {MaxNumberLength} digits");
        }

        state.Charge((long)cleaned.Length * cleaned.Length >> 10);
        return cleaned.Length > 0;
    }
}
