using Parallax.Runtime.Execution;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>RMS norm of rows; tolerance: rounding of the sum of squares, halved by the root, and of two products.</summary>
internal sealed record NormCase(int Rows, int Columns, TensorFormat Format, float Epsilon, int Seed) : IKernelCase
{
    private readonly PinnedWeights _weight = PinnedWeights.Random(Format, 1, Columns, Seed);
    private readonly float[] _x = Inputs.Random(Rows, Columns, Seed);

    public float[] Run(IComputeBackend backend)
    {
        using var weight = backend.LoadVector([(_weight.Tensor, Columns)]);
        using var x = backend.Upload(Rows, Columns, _x);
        using var output = backend.AllocateTensor(Columns);
        backend.RmsNorm(x, weight, Epsilon, output);
        return output.Download();
    }

    public float[] Specified()
    {
        var result = _x.ToArray();
        for (var row = 0; row < Rows; row++)
        {
            Specification.Norm(result.AsSpan(row * Columns, Columns), _weight.Row(0), Epsilon);
        }

        return result;
    }

    public double WorstError(float[] result)
    {
        var worst = 0.0;
        var weight = _weight.Row(0);
        for (var row = 0; row < Rows; row++)
        {
            var x = _x.AsSpan(row * Columns, Columns);
            var squares = 0.0;
            foreach (var value in x)
            {
                squares += (double)value * value;
            }

            var inverse = 1 / Math.Sqrt((squares / Columns) + Epsilon);
            for (var k = 0; k < Columns; k++)
            {
                var exact = x[k] * inverse * weight[k];
                var tolerance = (Math.Abs(exact) * ((Columns / 16) + 12) * 6e-8) + 1e-37;
                worst = Math.Max(worst, Math.Abs(result[(row * Columns) + k] - exact) / tolerance);
            }
        }

        return worst;
    }
}
