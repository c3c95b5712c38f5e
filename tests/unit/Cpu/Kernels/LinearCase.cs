using Parallax.Runtime.Execution;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>A linear layer over one or several matrices.</summary>
/// <param name="Formats">Format of each matrix.</param>
/// <param name="Rows">Outputs of each matrix.</param>
/// <param name="Columns">Input features.</param>
/// <param name="Inputs">Input rows.</param>
/// <param name="Seed">Of weights and inputs.</param>
/// <param name="Bias">Whether a bias is added.</param>
/// <param name="Mode">Store: Linear; else LinearAdd on one matrix, without or with rounding.</param>
internal sealed record LinearCase(TensorFormat[] Formats, int[] Rows, int Columns, int Inputs, int Seed, bool Bias, LinearCase.Kind Mode) : IKernelCase
{
    private readonly PinnedWeights[] _weights = [.. Formats.Select((format, i) => PinnedWeights.Random(format, Rows[i], Columns, Seed + i))];
    private readonly PinnedWeights[] _bias = [.. Rows.Select((rows, i) => PinnedWeights.Random(TensorFormat.F32, 1, rows, Seed + 100 + i))];
    private readonly float[] _x = Kernels.Inputs.Random(Inputs, Columns, Seed);
    private readonly float[] _residual = Kernels.Inputs.Random(Inputs, Rows[0], Seed + 50);

    internal enum Kind
    {
        Store,
        Add,
        AddRound,
    }

    public override string ToString() =>
        $"linear {string.Join("+", Formats)} [{string.Join("+", Rows)}, {Columns}] x {Inputs} {Mode}{(Bias ? " bias" : "")}";

    /// <summary>The same products in another order of summation: columns permuted in weights and inputs alike.</summary>
    public (LinearCase Here, Func<IComputeBackend, float[]> Reordered) Reordered(Func<int, int> column)
    {
        var format = Formats[0];
        var unit = format.BlockElements();
        var bytes = new byte[_weights[0].Tensor.RowLength * Rows[0]];
        for (var row = 0; row < Rows[0]; row++)
        {
            for (var block = 0; block < Columns / unit; block++)
            {
                _weights[0].Tensor.Row(row).Slice(column(block * unit) / unit * format.BlockBytes(), format.BlockBytes())
                    .CopyTo(bytes.AsSpan((row * _weights[0].Tensor.RowLength) + (block * format.BlockBytes())));
            }
        }

        var x = new float[_x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            x[i] = _x[(i / Columns * Columns) + column(i % Columns)];
        }

        var weights = new PinnedWeights(format, Rows[0], Columns, bytes);
        return (this, backend => Compute(backend, [weights], x));
    }

    public float[] Run(IComputeBackend backend) => Compute(backend, _weights, _x);

    public float[] Specified()
    {
        var stride = Mode == Kind.Store ? Rows.Sum(Kernels.Inputs.Pad) : Rows[0];
        var result = new float[Inputs * stride];
        for (var part = 0; part < Rows.Length; part++)
        {
            var offset = Rows[..part].Sum(Kernels.Inputs.Pad);
            for (var at = 0; at < Rows[part] * Inputs; at++)
            {
                var (output, row) = (at / Inputs, at % Inputs);
                var value = Specification.Linear(_weights[part].Tensor, output, _x.AsSpan(row * Columns, Columns));
                value = Bias ? value + _bias[part].Row(0)[output] : value;
                value = Mode == Kind.Store ? value : _residual[(row * stride) + output] + value;
                result[(row * stride) + offset + output] = Mode == Kind.AddRound ? HalfFloats.RoundToBf16(value) : value;
            }
        }

        return result;
    }

    public double WorstError(float[] result)
    {
        var worst = 0.0;
        var stride = Mode == Kind.Store ? Rows.Sum(Kernels.Inputs.Pad) : Rows[0];
        for (var part = 0; part < Rows.Length; part++)
        {
            var offset = Rows[..part].Sum(Kernels.Inputs.Pad);
            for (var output = 0; output < Rows[part]; output++)
            {
                var weights = _weights[part].Row(output);
                for (var row = 0; row < Inputs; row++)
                {
                    var (exact, tolerance) = Dot(weights, _x.AsSpan(row * Columns, Columns), Formats[part]);
                    exact += Bias ? _bias[part].Row(0)[output] : 0;
                    exact += Mode == Kind.Store ? 0 : _residual[(row * stride) + output];
                    tolerance += 3e-7 * Math.Abs(exact);
                    var actual = result[(row * stride) + offset + output];
                    worst = Math.Max(worst, Mode == Kind.AddRound
                        ? Kernels.Inputs.RoundedError(actual, exact, tolerance)
                        : Math.Abs(actual - exact) / tolerance);
                }
            }
        }

        return worst;
    }

    /// <summary>
    /// The product and what it may be off by. Plain formats: rounding of a sum over 16 lanes. Quantised: half a step of
    /// the activations (max of the block / 32767) times the weights, and rounding of one addition per block.
    /// </summary>
    private static (double Value, double Tolerance) Dot(float[] weights, ReadOnlySpan<float> x, TensorFormat format)
    {
        double sum = 0, magnitude = 0, steps = 0;
        for (var k = 0; k < x.Length; k++)
        {
            sum += (double)weights[k] * x[k];
            magnitude += Math.Abs((double)weights[k] * x[k]);
        }

        if (format.BlockElements() == 1)
        {
            return (sum, 1e-37 + (magnitude * ((x.Length / 16) + 6) * 6e-8));
        }

        var rounding = 0.0;
        for (var k = 0; k < x.Length; k += 32)
        {
            double largestX = 0, largestW = 0, sumW = 0;
            for (var i = k; i < k + 32; i++)
            {
                largestX = Math.Max(largestX, Math.Abs(x[i]));
                largestW = Math.Max(largestW, Math.Abs(weights[i]));
                sumW += Math.Abs(weights[i]);
            }

            // A block of which nothing exceeds 1e-30 counts as zero.
            steps += sumW * ((largestX / 65534 * 1.01) + 1e-30);
            rounding += 32 * largestX * largestW * 1e-6;
        }

        return (sum, steps + rounding + 1e-37);
    }

    private float[] Compute(IComputeBackend backend, PinnedWeights[] weights, float[] x)
    {
        var matrices = weights.Select(part => backend.LoadMatrix(part.Tensor)).ToArray();
        using var bias = Bias ? backend.LoadVector([.. _bias.Select((b, i) => ((WeightTensor?)b.Tensor, Rows[i]))]) : null;
        using var input = backend.Upload(Inputs, Columns, x);
        using var output = Mode == Kind.Store ? backend.AllocateTensor(matrices) : backend.Upload(Inputs, Rows[0], _residual);
        if (Mode == Kind.Store)
        {
            backend.Linear(input, matrices, bias, output);
        }
        else
        {
            backend.LinearAdd(input, matrices[0], bias, output, Mode == Kind.AddRound);
        }

        foreach (var matrix in matrices)
        {
            matrix.Dispose();
        }

        return output.Download();
    }
}
