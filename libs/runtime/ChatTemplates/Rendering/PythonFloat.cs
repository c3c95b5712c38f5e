using System.Globalization;
using System.Numerics;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Floats as Python prints, rounds and reads them.</summary>
internal static class PythonFloat
{
    /// <summary>The shortest text that reads back as the same number, in Python's notation.</summary>
    public static string Repr(double value)
    {
        if (NonFinite(value) is { } name)
        {
            return name;
        }

        var (digits, exponent) = ShortestDigits(Math.Abs(value));
        var sign = double.IsNegative(value) ? "-" : "";
        if (exponent is >= -4 and < 16)
        {
            return sign + Fixed(digits, exponent);
        }

        var fraction = digits.Length > 1 ? "." + digits[1..] : "";
        return $"{sign}{digits[0]}{fraction}{ExponentText('e', exponent)}";
    }

    /// <summary>"nan", "inf" or "-inf"; null for a finite number.</summary>
    public static string? NonFinite(double value) =>
        double.IsNaN(value) ? "nan" :
        double.IsPositiveInfinity(value) ? "inf" :
        double.IsNegativeInfinity(value) ? "-inf" : null;

    /// <summary>|value| with a fixed number of decimals; halves of the exact value go to the even digit.</summary>
    public static string FixedDecimals(double value, int decimals)
    {
        var digits = Scaled(value, decimals).ToString(CultureInfo.InvariantCulture);
        if (decimals == 0)
        {
            return digits;
        }

        digits = digits.PadLeft(decimals + 1, '0');
        return $"{digits[..^decimals]}.{digits[^decimals..]}";
    }

    /// <summary>The first significant digits of |value|, rounded, and the decimal exponent of the first.</summary>
    public static (string Digits, int Exponent) SignificantDigits(double value, int count)
    {
        if (value == 0)
        {
            return (new string('0', count), 0);
        }

        var exponent = ShortestDigits(Math.Abs(value)).Exponent;
        while (true)
        {
            var digits = Scaled(value, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
            if (digits.Length == count)
            {
                return (digits, exponent);
            }

            // Rounded up to the next power of ten, or the shortest text lay above the exact value.
            exponent += digits.Length > count ? 1 : -1;
        }
    }

    public static string ExponentText(char letter, int exponent) =>
        string.Create(CultureInfo.InvariantCulture, $"{letter}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");

    /// <summary>Python's round(value, decimals): to the nearest, exact halves to even.</summary>
    public static double Round(double value, int decimals)
    {
        // Beyond these the value has no such digits, or nothing but them.
        if (NonFinite(value) is not null || decimals > 323)
        {
            return value;
        }

        if (decimals < -309)
        {
            return double.CopySign(0, value);
        }

        var text = Scaled(value, decimals).ToString(CultureInfo.InvariantCulture);
        var rounded = double.Parse($"{text}e{-decimals}", CultureInfo.InvariantCulture);
        return double.CopySign(rounded, value);
    }

    /// <summary>|value| times 10^power as an integer, exact halves to even.</summary>
    private static BigInteger Scaled(double value, int power)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var biased = (int)((bits >> 52) & 0x7FF);
        var mantissa = bits & 0xFFFFFFFFFFFFF;
        var exponent = Math.Max(biased, 1) - 1075;
        var numerator = new BigInteger(biased == 0 ? mantissa : mantissa | (1L << 52));
        var denominator = BigInteger.One;
        (numerator, denominator) = exponent >= 0 ? (numerator << exponent, denominator) : (numerator, denominator << -exponent);
        (numerator, denominator) = power >= 0
            ? (numerator * BigInteger.Pow(10, power), denominator)
            : (numerator, denominator * BigInteger.Pow(10, -power));
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        var half = (remainder << 1).CompareTo(denominator);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static (string Digits, int Exponent) ShortestDigits(double value)
    {
        // "R" gives the fewest digits that read back, in one of three notations: 123.4, 0.00012, 1.2E+20.
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var split = text.IndexOf('E');
        var exponent = split < 0 ? 0 : int.Parse(text.AsSpan(split + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = split < 0 ? text : text[..split];
        var point = mantissa.IndexOf('.');
        var digits = point < 0 ? mantissa : mantissa.Remove(point, 1);
        var significant = digits.TrimStart('0');
        exponent += (point < 0 ? mantissa.Length : point) - 1 - (digits.Length - significant.Length);
        significant = significant.TrimEnd('0');
        return significant.Length == 0 ? ("0", 0) : (significant, exponent);
    }

    private static string Fixed(string digits, int exponent)
    {
        if (exponent < 0)
        {
            return $"0.{new string('0', -exponent - 1)}{digits}";
        }

        return digits.Length <= exponent + 1
            ? $"{digits.PadRight(exponent + 1, '0')}.0"
            : $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }
}
