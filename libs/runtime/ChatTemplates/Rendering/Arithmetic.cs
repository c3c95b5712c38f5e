using System.Globalization;
using System.Numerics;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Python's arithmetic operators on numbers, texts and lists.</summary>
internal static class Arithmetic
{
    // Far beyond any use in a template, and small enough that one operation costs next to nothing.
    private const long MaxIntegerBits = 8_192;

    public static TemplateValue Add(RenderState state, TemplateValue left, TemplateValue right)
    {
        if (left.IsText && right.IsText)
        {
            return Concatenate(state, left, right);
        }

        if (left.IsSmallIntegral && right.IsSmallIntegral)
        {
            var (a, b) = (left.AsLong, right.AsLong);
            var sum = unchecked(a + b);
            return ((a ^ sum) & (b ^ sum)) < 0 ? TemplateValue.From((BigInteger)a + b) : TemplateValue.From(sum);
        }

        if (left.IsNumber && right.IsNumber)
        {
            return left.IsIntegral && right.IsIntegral
                ? Bounded(state, left.AsBig + right.AsBig)
                : TemplateValue.From(ToDouble(state, left) + ToDouble(state, right));
        }

        if (left.IsArray && left.Kind == right.Kind)
        {
            var items = state.NewArray(left.AsArray.Length + right.AsArray.Length);
            left.AsArray.CopyTo(items, 0);
            right.AsArray.CopyTo(items, left.AsArray.Length);
            return left.Kind == ValueKind.List ? TemplateValue.List(items) : TemplateValue.Tuple(items);
        }

        throw Mismatch(state, left, right);
    }

    public static TemplateValue Subtract(RenderState state, TemplateValue left, TemplateValue right)
    {
        RequireNumbers(state, left, right);
        return left.IsIntegral && right.IsIntegral
            ? Bounded(state, left.AsBig - right.AsBig)
            : TemplateValue.From(ToDouble(state, left) - ToDouble(state, right));
    }

    public static TemplateValue Multiply(RenderState state, TemplateValue left, TemplateValue right)
    {
        if (left.IsNumber && right.IsNumber)
        {
            if (!left.IsIntegral || !right.IsIntegral)
            {
                return TemplateValue.From(ToDouble(state, left) * ToDouble(state, right));
            }

            return Bounded(state, left.AsBig * right.AsBig);
        }

        if (left.IsIntegral && (right.IsText || right.IsArray))
        {
            return Repeat(state, right, left);
        }

        if (right.IsIntegral && (left.IsText || left.IsArray))
        {
            return Repeat(state, left, right);
        }

        throw Mismatch(state, left, right);
    }

    public static TemplateValue Divide(RenderState state, TemplateValue left, TemplateValue right)
    {
        RequireNumbers(state, left, right);
        RequireNonZero(state, right);
        return TemplateValue.From(ToDouble(state, left) / ToDouble(state, right));
    }

    public static TemplateValue FloorDivide(RenderState state, TemplateValue left, TemplateValue right)
    {
        RequireNumbers(state, left, right);
        RequireNonZero(state, right);
        if (left.IsIntegral && right.IsIntegral)
        {
            return TemplateValue.From(FloorDivision(left.AsBig, right.AsBig).Quotient);
        }

        return TemplateValue.From(FloorDivision(ToDouble(state, left), ToDouble(state, right)).Quotient);
    }

    /// <summary>The remainder with the divisor's sign; for texts, printf-like formatting.</summary>
    public static TemplateValue Modulo(RenderState state, TemplateValue left, TemplateValue right)
    {
        if (left.IsText)
        {
            return PercentFormat.Format(state, left, right);
        }

        RequireNumbers(state, left, right);
        RequireNonZero(state, right);
        return left.IsIntegral && right.IsIntegral
            ? TemplateValue.From(FloorDivision(left.AsBig, right.AsBig).Remainder)
            : TemplateValue.From(FloorDivision(ToDouble(state, left), ToDouble(state, right)).Remainder);
    }

    public static TemplateValue Power(RenderState state, TemplateValue left, TemplateValue right)
    {
        RequireNumbers(state, left, right);
        if (left.IsIntegral && right.IsIntegral && right.AsBig >= 0)
        {
            var (number, exponent) = (left.AsBig, right.AsBig);
            if (exponent > MaxIntegerBits && BigInteger.Abs(number) > 1)
            {
                throw TooLong(state);
            }

            var small = (int)BigInteger.Min(exponent, MaxIntegerBits + (exponent.IsEven ? 0 : 1));
            RequireBits(state, number.GetBitLength() * small);
            return Bounded(state, BigInteger.Pow(number, small));
        }

        return TemplateValue.From(FloatPower(state, ToDouble(state, left), ToDouble(state, right)));
    }

    public static TemplateValue Negate(RenderState state, TemplateValue value)
    {
        RequireNumber(state, value);
        return value.IsIntegral ? TemplateValue.From(-value.AsBig) : TemplateValue.From(-value.AsFloat);
    }

    public static TemplateValue Plus(RenderState state, TemplateValue value)
    {
        RequireNumber(state, value);
        return value.IsIntegral ? TemplateValue.From(value.AsBig) : value;
    }

    /// <summary>A number as a float; integers beyond its range are an error, as in Python.</summary>
    public static double ToDouble(RenderState state, TemplateValue value)
    {
        if (value.Kind == ValueKind.Float)
        {
            return value.AsFloat;
        }

        // The library's conversion of a BigInteger cuts off instead of rounding; reading its digits rounds.
        var number = value.IsSmallIntegral
            ? value.AsLong
            : double.Parse(PythonText.IntegerText(value), CultureInfo.InvariantCulture);
        return double.IsFinite(number) ? number : throw state.Fail("the integer is too large for a float");
    }

    private static TemplateValue Concatenate(RenderState state, TemplateValue left, TemplateValue right)
    {
        var (first, second) = (left.AsText, right.AsText);
        var markup = left.IsMarkup || right.IsMarkup;
        if (left.IsMarkup != right.IsMarkup)
        {
            // Text marked by 'safe' or 'escape' escapes what it is joined with.
            first = left.IsMarkup ? first : MarkupText.Escape(state, first);
            second = right.IsMarkup ? second : MarkupText.Escape(state, second);
        }

        state.Allocate((long)first.Length + second.Length);
        return TemplateValue.Text(string.Concat(first, second), markup);
    }

    private static TemplateValue Repeat(RenderState state, TemplateValue unit, TemplateValue count)
    {
        var times = count.AsBig.Sign <= 0 ? 0 : count.IsSmallIntegral ? count.AsLong : long.MaxValue;
        var length = unit.IsText ? unit.AsText.Length : unit.AsArray.Length;
        var total = (Int128)times * length;
        if (total > int.MaxValue / 2)
        {
            throw state.Fail(ChatTemplateFault.Limit, $"repeating it {PythonText.IntegerText(count)} times makes it too long");
        }

        if (unit.IsText)
        {
            state.Allocate((long)total);
            var text = string.Create((int)total, unit.AsText, static (target, source) =>
            {
                for (var offset = 0; offset < target.Length; offset += source.Length)
                {
                    source.CopyTo(target[offset..]);
                }
            });
            return TemplateValue.Text(text, unit.IsMarkup);
        }

        var items = state.NewArray((int)total);
        for (var offset = 0; offset < items.Length; offset += length)
        {
            unit.AsArray.CopyTo(items, offset);
        }

        return unit.Kind == ValueKind.List ? TemplateValue.List(items) : TemplateValue.Tuple(items);
    }

    private static (BigInteger Quotient, BigInteger Remainder) FloorDivision(BigInteger left, BigInteger right)
    {
        var quotient = BigInteger.DivRem(left, right, out var remainder);
        return remainder.IsZero || remainder.Sign == right.Sign ? (quotient, remainder) : (quotient - 1, remainder + right);
    }

    private static (double Quotient, double Remainder) FloorDivision(double left, double right)
    {
        var remainder = left % right;
        var quotient = (left - remainder) / right;
        if (remainder != 0 && (remainder < 0) != (right < 0))
        {
            remainder += right;
            quotient -= 1;
        }

        if (remainder == 0)
        {
            remainder = double.CopySign(0, right);
        }

        if (quotient == 0)
        {
            return (double.CopySign(0, left / right), remainder);
        }

        var floor = Math.Floor(quotient);
        return (quotient - floor > 0.5 ? floor + 1 : floor, remainder);
    }

    /// <summary>Whole exponents by repeated multiplication; others would need the C library's pow, which differs between machines.</summary>
    private static double FloatPower(RenderState state, double number, double exponent)
    {
        if (exponent != Math.Floor(exponent) || Math.Abs(exponent) > 1_000_000)
        {
            throw state.Fail($"the exponent {PythonFloat.Repr(exponent)} is not supported: use a whole number");
        }

        if (number == 0 && exponent < 0)
        {
            throw state.Fail("zero cannot be raised to a negative power");
        }

        var result = 1.0;
        for (var (rest, square) = ((long)Math.Abs(exponent), number); rest > 0; rest >>= 1, square *= square)
        {
            result *= (rest & 1) != 0 ? square : 1;
        }

        result = exponent < 0 ? 1 / result : result;
        return double.IsInfinity(result) && double.IsFinite(number) ? throw state.Fail("the power is too large for a float") : result;
    }

    private static TemplateValue Bounded(RenderState state, BigInteger value)
    {
        RequireBits(state, value.GetBitLength());
        return TemplateValue.From(value);
    }

    private static void RequireBits(RenderState state, long bits)
    {
        if (bits > MaxIntegerBits)
        {
            throw TooLong(state);
        }

        state.Allocate(bits >> 4);
    }

    private static ChatTemplateException TooLong(RenderState state) =>
        state.Fail(ChatTemplateFault.Limit, $"the integer exceeds {MaxIntegerBits} bits");

    private static void RequireNumber(RenderState state, TemplateValue value)
    {
        Comparison.ThrowIfUndefined(state, value);
        if (!value.IsNumber)
        {
            throw state.Fail($"'{value.TypeName}' is not a number");
        }
    }

    private static void RequireNumbers(RenderState state, TemplateValue left, TemplateValue right)
    {
        if (!left.IsNumber || !right.IsNumber)
        {
            throw Mismatch(state, left, right);
        }
    }

    private static void RequireNonZero(RenderState state, TemplateValue value)
    {
        if (!Truth.Of(value))
        {
            throw state.Fail("division by zero");
        }
    }

    private static ChatTemplateException Mismatch(RenderState state, TemplateValue left, TemplateValue right)
    {
        Comparison.ThrowIfUndefined(state, left);
        Comparison.ThrowIfUndefined(state, right);
        return state.Fail($"it does not take '{left.TypeName}' and '{right.TypeName}'");
    }
}
