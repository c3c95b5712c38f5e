using System.Numerics;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Python's <c>'%s: %d' % values</c>.</summary>
internal static class PercentFormat
{
    public static TemplateValue Format(RenderState state, TemplateValue format, TemplateValue values)
    {
        var text = format.AsText;
        var positional = values.Kind == ValueKind.Tuple ? values.AsArray : [values];
        var next = 0;
        var usesNames = false;
        var buffer = state.Rent();
        for (var position = 0; position < text.Length;)
        {
            var percent = text.IndexOf('%', position);
            if (percent < 0)
            {
                buffer.Write(state, text.AsSpan(position));
                break;
            }

            buffer.Write(state, text.AsSpan(position, percent - position));
            position = percent + 1;
            state.Charge(1);
            var name = ReadName(state, text, ref position);
            usesNames |= name is not null;
            var spec = ReadSpec(state, text, ref position, positional, ref next);
            if (spec.Type == '%')
            {
                buffer.Write(state, '%');
                continue;
            }

            TemplateValue value;
            if (name is not null)
            {
                value = values.Kind == ValueKind.Map
                    ? values.AsMap.TryGet(name, out var found) ? found : throw state.Fail($"the format's name '{name}' has no value")
                    : throw state.Fail("a format with names needs a mapping");
            }
            else
            {
                value = next < positional.Length ? positional[next++] : throw state.Fail("the format has more fields than there are values");
            }

            buffer.Write(state, FormatOne(state, spec, value));
        }

        if (!usesNames && next < positional.Length && !CanBeSubscripted(values))
        {
            throw state.Fail("the format has fewer fields than there are values");
        }

        return TemplateValue.Text(state.Return(buffer), format.IsMarkup);
    }

    /// <summary>Python takes such a value for a mapping whose names the format need not use.</summary>
    private static bool CanBeSubscripted(TemplateValue value) =>
        value.IsUndefined || value.Kind is ValueKind.Map or ValueKind.List || (value.Kind == ValueKind.Object && value.AsObject.IsSequence);

    private static string? ReadName(RenderState state, string text, ref int position)
    {
        if (position >= text.Length || text[position] != '(')
        {
            return null;
        }

        var close = text.IndexOf(')', position);
        if (close < 0)
        {
            throw state.Fail("the format has an open bracket");
        }

        var name = text[(position + 1)..close];
        position = close + 1;
        return name;
    }

    private static FormatSpec ReadSpec(
        RenderState state, string text, ref int position, TemplateValue[] positional, ref int next)
    {
        var (left, zero, sign, alternate) = (false, false, '-', false);
        for (; position < text.Length && text[position] is '-' or '0' or '+' or ' ' or '#'; position++)
        {
            left |= text[position] == '-';
            zero |= text[position] == '0';
            alternate |= text[position] == '#';
            sign = text[position] == '+' || (text[position] == ' ' && sign != '+') ? text[position] : sign;
        }

        var width = ReadCount(state, text, ref position, positional, ref next) ?? 0;
        int? precision = null;
        if (position < text.Length && text[position] == '.')
        {
            position++;
            precision = ReadCount(state, text, ref position, positional, ref next) ?? 0;
        }

        if (position >= text.Length)
        {
            throw state.Fail("the format ends within a field");
        }

        return new FormatSpec
        {
            Align = left || width < 0 ? '<' : zero ? '=' : '>',
            Fill = zero && !left ? "0" : " ",
            Sign = sign,
            Alternate = alternate,
            Width = Math.Abs(width),
            Precision = precision,
            Type = text[position++],
        };
    }

    private static int? ReadCount(
        RenderState state, string text, ref int position, TemplateValue[] positional, ref int next)
    {
        if (position >= text.Length || text[position] != '*')
        {
            return FormatSpec.ReadNumber(state, text, ref position);
        }

        position++;
        if (next >= positional.Length || !positional[next].IsSmallIntegral)
        {
            throw state.Fail("a '*' in a format needs an integer");
        }

        var count = positional[next++].AsLong;
        return Math.Abs((double)count) < int.MaxValue / 2
            ? (int)count
            : throw state.Fail(ChatTemplateFault.Limit, "a width of a format is too large");
    }

    private static string FormatOne(RenderState state, FormatSpec spec, TemplateValue value)
    {
        switch (spec.Type)
        {
            case 's' or 'r' or 'a':
                var text = spec.Type == 's' ? PythonText.ToText(state, value) : PythonText.ToRepr(state, value);
                return TextSpec(spec).FormatText(state, text);
            case 'c':
                var character = value.IsSmallIntegral && value.AsLong is >= 0 and < 0x110000 and not (>= 0xD800 and <= 0xDFFF)
                    ? char.ConvertFromUtf32((int)value.AsLong)
                    : value.IsText && CodePoints.Count(value.AsText) == 1
                        ? value.AsText
                        : throw state.Fail("%c needs a character");
                return TextSpec(spec).FormatText(state, character);
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o':
                Comparison.ThrowIfUndefined(state, value);
                return FormatInteger(state, spec, value);
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                Comparison.ThrowIfUndefined(state, value);
                return value.IsNumber
                    ? spec.FormatFloat(state, Arithmetic.ToDouble(state, value))
                    : throw state.Fail($"%{spec.Type} needs a number, not '{value.TypeName}'");
            default:
                throw state.Fail($"the format type '%{spec.Type}' is not known");
        }
    }

    private static string FormatInteger(RenderState state, FormatSpec spec, TemplateValue value)
    {
        var isDecimal = spec.Type is 'd' or 'i' or 'u';
        if (!value.IsNumber || (value.Kind == ValueKind.Float && (!isDecimal || !double.IsFinite(value.AsFloat))))
        {
            throw state.Fail($"%{spec.Type} needs an integer, not '{value.TypeName}'");
        }

        var number = value.Kind == ValueKind.Float ? new BigInteger(Math.Truncate(value.AsFloat)) : value.AsBig;
        var type = isDecimal ? 'd' : spec.Type;
        if (spec.Precision is not { } digits)
        {
            return (spec with { Type = type }).FormatInteger(state, number);
        }

        // A precision of an integer is its least number of digits.
        var bare = new FormatSpec { Type = type, Align = '=', Fill = "0", Width = digits }.FormatInteger(state, BigInteger.Abs(number));
        var sign = number.Sign < 0 ? "-" : spec.Sign == '-' ? "" : spec.Sign.ToString();
        return (TextSpec(spec) with { Precision = null }).FormatText(state, sign + bare);
    }

    private static FormatSpec TextSpec(FormatSpec spec) => spec with
    {
        Type = 's',
        Sign = '-',
        Align = spec.Align == '<' ? '<' : '>',
        Fill = " ",
    };
}
