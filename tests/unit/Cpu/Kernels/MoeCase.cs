using System.Collections.Immutable;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>A mixture of experts; tolerance: 3e-4 of the row's largest contribution (two quantisations of activations).</summary>
/// <param name="Format">Of the experts; the router is f32.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Hidden">Width.</param>
/// <param name="Intermediate">Inner width of an expert.</param>
/// <param name="Experts">Number of experts.</param>
/// <param name="TopK">Experts per token.</param>
/// <param name="Normalize">Whether the chosen weights are divided by their sum.</param>
/// <param name="Round">Whether the result is rounded to bf16.</param>
/// <param name="Twins">Whether experts 2i and 2i + 1 have the same router row, so that every choice is a tie.</param>
/// <param name="Seed">Of everything.</param>
internal sealed record MoeCase(
    TensorFormat Format, int Rows, int Hidden, int Intermediate, int Experts, int TopK, bool Normalize, bool Round, bool Twins, int Seed) : IKernelCase
{
    private readonly PinnedWeights _router = Router(Experts, Hidden, Twins, Seed);
    private readonly PinnedWeights[] _gates = Matrices(Format, Experts, Intermediate, Hidden, Seed + 1000);
    private readonly PinnedWeights[] _ups = Matrices(Format, Experts, Intermediate, Hidden, Seed + 2000);
    private readonly PinnedWeights[] _downs = Matrices(Format, Experts, Hidden, Intermediate, Seed + 3000);
    private readonly float[] _x = Uniform(Rows * Hidden, Seed);
    private readonly float[] _residual = Uniform(Rows * Hidden, Seed + 1);

    /// <summary>The same tokens one by one.</summary>
    public float[] RunRowByRow(IComputeBackend backend) =>
        [.. Enumerable.Range(0, Rows).SelectMany(row => Compute(backend, row, 1))];

    public float[] Run(IComputeBackend backend) => Compute(backend, 0, Rows);

    public float[] Specified()
    {
        var result = new float[Rows * Hidden];
        for (var row = 0; row < Rows; row++)
        {
            var x = _x.AsSpan(row * Hidden, Hidden).ToArray();
            var choices = Specification.Route(All(_router, x), TopK, Normalize);
            var outputs = choices.Select(choice => All(_downs[choice.Expert], [.. All(_gates[choice.Expert], x)
                .Zip(All(_ups[choice.Expert], x), (gate, up) => Specification.Silu(gate) * up)])).ToArray();
            for (var k = 0; k < Hidden; k++)
            {
                var sum = 0f;
                for (var i = 0; i < TopK; i++)
                {
                    sum = MathF.FusedMultiplyAdd(choices[i].Weight, outputs[i][k], sum);
                }

                var value = _residual[(row * Hidden) + k] + sum;
                result[(row * Hidden) + k] = Round ? HalfFloats.RoundToBf16(value) : value;
            }
        }

        return result;

        static float[] All(PinnedWeights matrix, float[] x) =>
            [.. Enumerable.Range(0, matrix.Tensor.Rows).Select(output => Specification.Linear(matrix.Tensor, output, x))];
    }

    public double WorstError(float[] result)
    {
        var worst = 0.0;
        for (var row = 0; row < Rows; row++)
        {
            var delta = Mixture(_x.AsSpan(row * Hidden, Hidden).ToArray());
            var largest = delta.Max(Math.Abs);
            for (var k = 0; k < Hidden; k++)
            {
                var at = (row * Hidden) + k;
                var exact = _residual[at] + delta[k];
                var tolerance = (3e-4 * largest) + (3e-7 * Math.Abs(exact));
                worst = Math.Max(worst, Round
                    ? Inputs.RoundedError(result[at], exact, tolerance)
                    : Math.Abs(result[at] - exact) / tolerance);
            }
        }

        return worst;
    }

    private static PinnedWeights Router(int experts, int hidden, bool twins, int seed)
    {
        var values = Uniform(experts * hidden, seed + 5);
        for (var expert = 1; twins && expert < experts; expert += 2)
        {
            values.AsSpan((expert - 1) * hidden, hidden).CopyTo(values.AsSpan(expert * hidden));
        }

        return PinnedWeights.Of(experts, hidden, values);
    }

    private static PinnedWeights[] Matrices(TensorFormat format, int count, int rows, int columns, int seed) =>
        [.. Enumerable.Range(0, count).Select(i => PinnedWeights.Random(format, rows, columns, seed + i))];

    private static float[] Uniform(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    private static double[] Multiply(PinnedWeights matrix, double[] x)
    {
        var result = new double[matrix.Tensor.Rows];
        for (var row = 0; row < result.Length; row++)
        {
            var weights = matrix.Row(row);
            for (var k = 0; k < x.Length; k++)
            {
                result[row] += weights[k] * x[k];
            }
        }

        return result;
    }

    private double[] Mixture(float[] row)
    {
        double[] x = [.. row.Select(value => (double)value)];
        var logits = Multiply(_router, x);
        var max = logits.Max();
        var probabilities = logits.Select(logit => ScalarMath.Exp(logit - max)).ToArray();
        var sum = probabilities.Sum();

        // Twins are equal to the last bit; others are far apart.
        var chosen = Enumerable.Range(0, Experts).OrderByDescending(e => Math.Round(probabilities[e], 9)).ThenBy(e => e).Take(TopK).ToArray();
        var total = Normalize ? chosen.Sum(e => probabilities[e]) : sum;
        var result = new double[Hidden];
        foreach (var expert in chosen)
        {
            var gate = Multiply(_gates[expert], x);
            var up = Multiply(_ups[expert], x);
            var inner = gate.Select((g, i) => g / (1 + ScalarMath.Exp(-g)) * up[i]).ToArray();
            var output = Multiply(_downs[expert], inner);
            for (var k = 0; k < Hidden; k++)
            {
                result[k] += probabilities[expert] / total * output[k];
            }
        }

        return result;
    }

    private float[] Compute(IComputeBackend backend, int row, int rows)
    {
        var none = new TensorRef("none");
        var spec = new MoeFeedForwardSpec
        {
            IntermediateSize = Intermediate,
            TopK = TopK,
            NormalizeTopK = Normalize,
            Router = none,
            Experts = [.. Enumerable.Repeat(new DenseFeedForwardSpec(Intermediate, none, none, none), Experts)],
        };
        using var router = backend.LoadMatrix(_router.Tensor);
        var layer = new MoeLayer(spec, router, Load(_gates), Load(_ups), Load(_downs));
        using var x = backend.Upload(rows, Hidden, _x.AsSpan(row * Hidden, rows * Hidden));
        using var residual = backend.Upload(rows, Hidden, _residual.AsSpan(row * Hidden, rows * Hidden));
        backend.MoeAdd(layer, x, residual, Round);
        foreach (var matrix in layer.Gates.Concat(layer.Ups).Concat(layer.Downs))
        {
            matrix.Dispose();
        }

        return residual.Download();

        ImmutableArray<DeviceMatrix> Load(PinnedWeights[] weights) => [.. weights.Select(matrix => backend.LoadMatrix(matrix.Tensor))];
    }
}
