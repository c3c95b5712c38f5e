using Parallax.Runtime.Execution;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>silu(gate) * up; tolerance: 5e-7 of the value (exp to 2 ulp, a sum, a quotient, a product).</summary>
internal sealed record SwiGluCase(int Rows, int Columns, int Seed) : IKernelCase
{
    private static readonly float[] Special =
        [0f, -0f, 1f, -1f, 1e-30f, -1e-30f, 86.9f, -86.9f, 87f, -87f, 88f, -88f, 88.1f, -88.1f, 1e4f, -1e4f, 0.34657f, -0.34658f, 3.4e38f, -3.4e38f];

    private readonly float[] _gateUp = Values(Rows, Columns, Seed);

    public float[] Specified()
    {
        var result = new float[Rows * Columns];
        for (var i = 0; i < result.Length; i++)
        {
            var (gate, up) = At(i);
            result[i] = Specification.Silu(gate) * up;
        }

        return result;
    }

    public float[] Run(IComputeBackend backend)
    {
        var shape = PinnedWeights.Random(TensorFormat.F32, Columns, 1, Seed);
        using var gate = backend.LoadMatrix(shape.Tensor);
        using var up = backend.LoadMatrix(shape.Tensor);
        using var gateUp = backend.AllocateTensor([gate, up]);
        gateUp.Resize(Rows);
        gateUp.Upload(_gateUp);
        using var output = backend.AllocateTensor(Columns);
        backend.SwiGlu(gateUp, output);
        return output.Download();
    }

    public double WorstError(float[] result)
    {
        var worst = 0.0;
        for (var i = 0; i < result.Length; i++)
        {
            var (gate, up) = At(i);

            // Beyond 88 the exponential is held at e^88: the value is below 1e-34 of the gate, and stays so.
            var exact = gate / (1 + ScalarMath.Exp(-Math.Clamp((double)gate, -88.0, 600.0))) * up;
            worst = Math.Max(worst, Math.Abs(result[i] - exact) / ((Math.Abs(exact) * 5e-7) + 1e-37));
        }

        return worst;
    }

    private static float[] Values(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var padded = Inputs.Pad(columns);
        var values = new float[rows * 2 * padded];
        for (var row = 0; row < rows; row++)
        {
            for (var k = 0; k < columns; k++)
            {
                var gate = random.Next(8) == 0 ? Special[random.Next(Special.Length)] : Inputs.Normal(random) * (random.Next(3) == 0 ? 30f : 1f);
                values[(row * 2 * padded) + k] = gate;
                values[(row * 2 * padded) + padded + k] = Inputs.Normal(random) * 0.1f;
            }
        }

        return values;
    }

    private (float Gate, float Up) At(int index)
    {
        var padded = Inputs.Pad(Columns);
        var row = index / Columns * 2 * padded;
        return (_gateUp[row + (index % Columns)], _gateUp[row + padded + (index % Columns)]);
    }
}
