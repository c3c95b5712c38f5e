using System.Numerics;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>Comparison of booleans, integers and floats with each other, exact as Python's.</summary>
internal static class NumberComparison
{
    public static bool Equal(TemplateValue x, TemplateValue y) => Compare(x, y) == 0;

    /// <summary>Negative, zero or positive; null when a NaN takes part, which compares false with everything.</summary>
    public static int? Compare(TemplateValue x, TemplateValue y)
    {
        if (x.IsSmallIntegral && y.IsSmallIntegral)
        {
            return x.AsLong.CompareTo(y.AsLong);
        }

        if (x.Kind == ValueKind.Float && y.Kind == ValueKind.Float)
        {
            return double.IsNaN(x.AsFloat) || double.IsNaN(y.AsFloat) ? null : x.AsFloat.CompareTo(y.AsFloat);
        }

        if (x.Kind == ValueKind.Float)
        {
            return -Compare(y, x);
        }

        if (y.Kind != ValueKind.Float)
        {
            return x.AsBig.CompareTo(y.AsBig);
        }

        var number = y.AsFloat;
        if (double.IsNaN(number))
        {
            return null;
        }

        if (double.IsInfinity(number))
        {
            return number > 0 ? -1 : 1;
        }

        var floor = Math.Floor(number);
        var order = x.AsBig.CompareTo(new BigInteger(floor));
        return order == 0 && number > floor ? -1 : order;
    }
}
