using Parallax.Runtime.Execution;
using Parallax.Runtime.Numerics;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>Activations as layers see them: rows of different size, outliers, zeros.</summary>
internal static class Inputs
{
    public static float[] Random(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var values = new float[rows * columns];
        for (var row = 0; row < rows; row++)
        {
            var size = random.Next(8) switch { 0 => 1e-3f, 1 => 40f, _ => 1f };
            for (var k = 0; k < columns; k++)
            {
                values[(row * columns) + k] = Normal(random) * size * (random.Next(64) == 0 ? 20f : 1f);
            }

            // A few whole blocks of zeros, and of numbers whose inverse would overflow.
            for (var block = 0; block < columns / 32; block++)
            {
                var factor = random.Next(16) switch { 0 => 0f, 1 => 1e-36f, _ => 1f };
                for (var k = 0; k < 32; k++)
                {
                    values[(row * columns) + (block * 32) + k] *= factor;
                }
            }
        }

        return values;
    }

    /// <summary>Sum of uniforms: near enough to a normal distribution, and free of the C library.</summary>
    public static float Normal(Random random)
    {
        var sum = -6f;
        for (var i = 0; i < 12; i++)
        {
            sum += random.NextSingle();
        }

        return sum;
    }

    public static DeviceTensor Upload(this IComputeBackend backend, int rows, int columns, ReadOnlySpan<float> values)
    {
        var tensor = backend.AllocateTensor(columns);
        tensor.Resize(rows);
        tensor.Upload(values);
        return tensor;
    }

    public static float[] Download(this DeviceTensor tensor)
    {
        var values = new float[tensor.Rows * tensor.Columns];
        tensor.Download(values);
        return values;
    }

    /// <summary>0 when the value is what some number within the tolerance rounds to in bf16, else infinite.</summary>
    public static double RoundedError(float actual, double exact, double tolerance) =>
        actual >= HalfFloats.RoundToBf16((float)(exact - tolerance)) && actual <= HalfFloats.RoundToBf16((float)(exact + tolerance))
            && actual == HalfFloats.RoundToBf16(actual) ? 0 : double.PositiveInfinity;

    public static int Pad(int columns) => (columns + 15) / 16 * 16;
}
