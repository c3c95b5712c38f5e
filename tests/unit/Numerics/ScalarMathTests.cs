// The C library is what our own functions are measured against: here its last digit may differ from machine to machine.
#pragma warning disable RS0030
using Parallax.Runtime.Numerics;

namespace Parallax.UnitTests.Numerics;

public sealed class ScalarMathTests
{
    [Fact]
    public void ExpSingle_OverItsRange_IsWithinTwoUlp()
    {
        var worst = 0.0;
        var at = 0f;
        foreach (var x in Floats(-87f, 88f, 251))
        {
            var exact = Math.Exp(x);
            var error = Math.Abs(ScalarMath.Exp(x) - exact) / Ulp((float)exact);
            if (error > worst)
            {
                (worst, at) = (error, x);
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"worst {worst:F3} ulp at {at:G9}");
        Assert.InRange(worst, 0, 2);
    }

    [Fact]
    public void ExpSingle_OutsideItsRange_IsZeroOrItsLargestValue()
    {
        Assert.Equal(0f, ScalarMath.Exp(MathF.BitDecrement(-87f)));
        Assert.Equal(0f, ScalarMath.Exp(float.NegativeInfinity));
        Assert.Equal(ScalarMath.Exp(88f), ScalarMath.Exp(1000f));
        Assert.Equal(ScalarMath.Exp(88f), ScalarMath.Exp(float.PositiveInfinity));
        Assert.True(float.IsFinite(ScalarMath.Exp(88f)));
        Assert.True(float.IsNaN(ScalarMath.Exp(float.NaN)));
        Assert.Equal(1f, ScalarMath.Exp(0f));
        Assert.Equal(1f, ScalarMath.Exp(-0f));
    }

    [Fact]
    public void ExpDouble_OverItsRange_IsWithinTwoUlp()
    {
        var random = new Random(1);
        var worst = Worst(300_000, () => ((random.NextDouble() * 2) - 1) * 700, ScalarMath.Exp, Math.Exp, Ulp);
        Assert.InRange(worst, 0, 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => ScalarMath.Exp(700.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => ScalarMath.Exp(-701.0));
    }

    [Fact]
    public void Log_OverAllMagnitudes_IsWithinTwoUlp()
    {
        var random = new Random(2);
        var wide = Worst(300_000, () => BitConverter.Int64BitsToDouble(random.NextInt64(0x0010_0000_0000_0000, 0x7FF0_0000_0000_0000)), ScalarMath.Log, Math.Log, Ulp);
        Assert.InRange(wide, 0, 2);

        // Near 1 the logarithm vanishes; its relative error must not grow.
        var near = Worst(300_000, () => 0.5 + (random.NextDouble() * 1.5), ScalarMath.Log, Math.Log, Ulp);
        Assert.InRange(near, 0, 3);
        Assert.Equal(0.0, ScalarMath.Log(1.0));
        foreach (var wrong in (double[])[0.0, -1.0, double.NaN, double.PositiveInfinity, double.Epsilon])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => ScalarMath.Log(wrong));
        }
    }

    [Fact]
    public void Pow_OfRopeBases_IsWithinItsRelativeError()
    {
        var random = new Random(3);
        var worst = 0.0;
        for (var i = 0; i < 100_000; i++)
        {
            var x = Math.Exp(random.NextDouble() * Math.Log(1e8));
            var y = -random.NextDouble();
            var exact = Math.Pow(x, y);

            // The exponent's own rounding is multiplied by the exponent.
            var allowed = (2 + (2 * Math.Abs(y * Math.Log(x)))) * Ulp(exact);
            worst = Math.Max(worst, Math.Abs(ScalarMath.Pow(x, y) - exact) / allowed);
        }

        Assert.InRange(worst, 0, 1);
    }

    [Fact]
    public void SinCos_UpToAMillion_IsWithinTwoUlpOfOne()
    {
        var random = new Random(4);
        var worst = 0.0;
        for (var i = 0; i < 300_000; i++)
        {
            var x = (random.Next(3)) switch
            {
                0 => (random.NextDouble() - 0.5) * 2e6,
                1 => random.Next(1_000_000),
                _ => (random.NextDouble() - 0.5) * 20,
            };
            var (sine, cosine) = ScalarMath.SinCos(x);
            worst = Math.Max(worst, Math.Max(Math.Abs(sine - Math.Sin(x)), Math.Abs(cosine - Math.Cos(x))));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"worst absolute error {worst:E2}");
        Assert.InRange(worst, 0, 4.5e-16);
        Assert.Equal((0.0, 1.0), ScalarMath.SinCos(0.0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ScalarMath.SinCos(1_700_000.0));
    }

    private static double Worst(int count, Func<double> next, Func<double, double> ours, Func<double, double> reference, Func<double, double> unit)
    {
        var worst = 0.0;
        for (var i = 0; i < count; i++)
        {
            var x = next();
            var exact = reference(x);
            worst = Math.Max(worst, Math.Abs(ours(x) - exact) / unit(exact));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"worst {worst:F3} ulp");
        return worst;
    }

    /// <summary>Every <paramref name="stride"/>th float of magnitude above 1e-9 from low to high, and the ends.</summary>
    private static IEnumerable<float> Floats(float low, float high, int stride)
    {
        var first = BitConverter.SingleToInt32Bits(1e-9f);
        for (var bits = first; bits <= BitConverter.SingleToInt32Bits(high); bits += stride)
        {
            yield return BitConverter.Int32BitsToSingle(bits);
        }

        for (var bits = first; bits <= BitConverter.SingleToInt32Bits(-low); bits += stride)
        {
            yield return -BitConverter.Int32BitsToSingle(bits);
        }

        yield return low;
        yield return high;
    }

    private static double Ulp(float value) => MathF.BitIncrement(MathF.Abs(value)) - MathF.Abs(value);

    private static double Ulp(double value) => Math.BitIncrement(Math.Abs(value)) - Math.Abs(value);
}
