using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>Rows of a table, which must be the scalar decoder's exactly: it proves the packed layout as well.</summary>
internal sealed record EmbedCase(TensorFormat Format, int Rows, int Columns, bool Round, int Seed) : IKernelCase
{
    private readonly PinnedWeights _table = PinnedWeights.Random(Format, Rows, Columns, Seed);

    private int[] Ids => [.. Enumerable.Range(0, Rows).Reverse(), 0, Rows - 1];

    public float[] Run(IComputeBackend backend)
    {
        using var table = backend.LoadMatrix(_table.Tensor);
        using var output = backend.AllocateTensor(Columns);
        backend.Embed(table, Ids, output, Round);
        return output.Download();
    }

    public float[] Specified()
    {
        // Zeros of scales and codes keep the sign that the block's own steps give them; a minimum of 0 that the decoder adds
        // to formats that have none would turn it.
        var hasMinimum = Format is TensorFormat.Q4_1 or TensorFormat.Q5_1 or TensorFormat.Q4_K or TensorFormat.Q5_K;
        Span<byte> codes = stackalloc byte[32];
        var fields = new BlockFields { Codes = codes };
        var result = new List<float>();
        foreach (var id in Ids)
        {
            var values = _table.Row(id);
            for (var k = 0; k < Columns; k++)
            {
                if (Format.BlockElements() > 1 && !hasMinimum && values[k] == 0)
                {
                    fields.Read(Format, _table.Tensor.Row(id), k / 32);
                    var scale = HalfFloats.FromF16Finite(fields.Scale);
                    values[k] = Format switch
                    {
                        TensorFormat.Q4_0 => scale * (codes[k % 32] - 8),
                        TensorFormat.Q5_0 => scale * (codes[k % 32] - 16),
                        TensorFormat.Q8_0 => scale * (sbyte)codes[k % 32],
                        _ => scale * (sbyte)(k % 32 < 16 ? fields.FactorLow : fields.FactorHigh) * (codes[k % 32] - 32),
                    };
                }

                result.Add(Round ? HalfFloats.RoundToBf16(values[k]) : values[k]);
            }
        }

        return [.. result];
    }

    public double WorstError(float[] result)
    {
        var i = 0;
        foreach (var id in Ids)
        {
            foreach (var value in _table.Row(id))
            {
                // Zeros may differ in sign: the decoder adds a minimum of 0 that the packed form leaves out.
                if (result[i++] != (Round ? HalfFloats.RoundToBf16(value) : value))
                {
                    return double.PositiveInfinity;
                }
            }
        }

        return i == result.Length ? 0 : double.PositiveInfinity;
    }
}
