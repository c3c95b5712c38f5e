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
