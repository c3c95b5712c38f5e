namespace Parallax.Runtime.Numerics;

/// <summary>
/// Elementary functions built only from IEEE operations and fused multiply-add, in a fixed order: the C library's differ
/// between machines, and output must not (docs/numerics.md).
/// </summary>
public static class ScalarMath
{
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double Log2E = 1.44269504088896338700e+00;

    // pi/2 in three parts of 33 bits each, so that n * part is exact for |n| < 2^20 (Cody and Waite).
    private const double HalfPi1 = 1.57079632673412561417e+00;
    private const double HalfPi2 = 6.07710050630396597660e-11;
    private const double HalfPi3 = 2.02226624879595063154e-21;
    private const double TwoOverPi = 6.36619772367581382433e-01;

    // Adding and subtracting 1.5 * 2^52 rounds to the nearest integer, ties to even.
    private const double RoundingMagic = 6755399441055744.0;

    // exp's f32 constants: docs/numerics.md, "exp". ln 2 split so that n * ExpLn2High is exact.
    internal const float ExpLog2E = 1.44269502f;
    internal const float ExpLn2High = 0.693359375f;
    internal const float ExpLn2Low = -2.12194440e-4f;
    internal const float ExpMagic = 12582912f;
    internal const int ExpMagicBits = 0x4B40_0000;
    internal const float ExpUpper = 88.0f;
    internal const float ExpLower = -87.0f;
    internal const float ExpC6 = 1.9875691500e-4f;
    internal const float ExpC5 = 1.3981999507e-3f;
    internal const float ExpC4 = 8.3334519073e-3f;
    internal const float ExpC3 = 4.1665795894e-2f;
    internal const float ExpC2 = 1.6666665459e-1f;
    internal const float ExpC1 = 5.0000001201e-1f;

    /// <summary>
    /// e^x in f32, within 2 ulp on [-87, 88]; 0 below -87, and e^88 above 88 (never infinite). The polynomial is that of
    /// the Cephes library's expf (S. Moshier), evaluated by fused multiply-add.
    /// </summary>
    public static float Exp(float x)
    {
        if (x < ExpLower)
        {
            return 0f;
        }

        x = x > ExpUpper ? ExpUpper : x;
        var shifted = MathF.FusedMultiplyAdd(x, ExpLog2E, ExpMagic);
        var n = shifted - ExpMagic;
        var r = MathF.FusedMultiplyAdd(n, -ExpLn2High, x);
        r = MathF.FusedMultiplyAdd(n, -ExpLn2Low, r);
        var p = ExpC6;
        p = MathF.FusedMultiplyAdd(p, r, ExpC5);
        p = MathF.FusedMultiplyAdd(p, r, ExpC4);
        p = MathF.FusedMultiplyAdd(p, r, ExpC3);
        p = MathF.FusedMultiplyAdd(p, r, ExpC2);
        p = MathF.FusedMultiplyAdd(p, r, ExpC1);
        p = MathF.FusedMultiplyAdd(p, r * r, r) + 1f;
        var exponent = BitConverter.SingleToInt32Bits(shifted) - ExpMagicBits + 127;
        return p * BitConverter.Int32BitsToSingle(exponent << 23);
    }

    /// <summary>e^x in f64, about 1 ulp, for |x| at most 700.</summary>
    public static double Exp(double x)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Abs(x), 700.0, nameof(x));
        var n = Math.FusedMultiplyAdd(x, Log2E, RoundingMagic) - RoundingMagic;
        var r = Math.FusedMultiplyAdd(-n, Ln2High, x);
        r = Math.FusedMultiplyAdd(-n, Ln2Low, r);

        // Taylor series to r^13 / 13!: |r| <= 0.347, so the rest is below 1e-17.
        var p = 1.0;
        for (var k = 13; k >= 1; k--)
        {
            p = Math.FusedMultiplyAdd(p, r / k, 1.0);
        }

        return p * BitConverter.Int64BitsToDouble(((long)n + 1023) << 52);
    }

    /// <summary>Natural logarithm in f64, about 2 ulp, for positive normal x.</summary>
    public static double Log(double x)
    {
        if (!(x >= 2.2250738585072014e-308) || double.IsPositiveInfinity(x))
        {
            throw new ArgumentOutOfRangeException(nameof(x), x, "must be a positive normal number");
        }

        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFFL) | 0x3FF0_0000_0000_0000L);
        if (mantissa > 1.4142135623730951)
        {
            mantissa *= 0.5;
            exponent++;
        }

        // log m = 2 artanh(s), s = (m-1)/(m+1), |s| <= 0.172: odd series to s^23.
        var s = (mantissa - 1.0) / (mantissa + 1.0);
        var s2 = s * s;
        var sum = 0.0;
        for (var k = 23; k >= 3; k -= 2)
        {
            sum = Math.FusedMultiplyAdd(sum, s2, 1.0 / k);
        }

        var tail = 2.0 * s * s2 * sum;
        return (exponent * Ln2High) + ((2.0 * s) + (tail + (exponent * Ln2Low)));
    }

    /// <summary>x^y = e^(y ln x) in f64 for positive x; relative error about |y ln x| ulp.</summary>
    public static double Pow(double x, double y) => Exp(y * Log(x));

    /// <summary>Sine and cosine in f64 for |x| below 1,000,000; absolute error about 1e-15.</summary>
    public static (double Sin, double Cos) SinCos(double x)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Abs(x), 1_600_000.0, nameof(x));
        var n = Math.FusedMultiplyAdd(x, TwoOverPi, RoundingMagic) - RoundingMagic;
        var r = Math.FusedMultiplyAdd(-n, HalfPi1, x);
        r = Math.FusedMultiplyAdd(-n, HalfPi2, r);
        r = Math.FusedMultiplyAdd(-n, HalfPi3, r);

        // Taylor series on |r| <= pi/4: sine to r^17, cosine to r^18.
        var r2 = r * r;
        var sine = 1.0;
        for (var k = 16; k >= 2; k -= 2)
        {
            sine = Math.FusedMultiplyAdd(sine, -r2 / (k * (k + 1.0)), 1.0);
        }

        sine *= r;
        var cosine = 1.0;
        for (var k = 17; k >= 1; k -= 2)
        {
            cosine = Math.FusedMultiplyAdd(cosine, -r2 / (k * (k + 1.0)), 1.0);
        }

        return ((long)n & 3) switch
        {
            0 => (sine, cosine),
            1 => (cosine, -sine),
            2 => (-sine, -cosine),
            _ => (-cosine, sine),
        };
    }
}
