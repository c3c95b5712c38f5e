using Parallax.Runtime.Execution;
using Parallax.Runtime.Weights;

namespace Parallax.Testing.Execution;

/// <summary>
/// Packs each stored matrix once, so that many shards of one open model cost one copy of its weights. Dispose the shards
/// together: the first one that is disposed frees the shared matrices.
/// </summary>
internal sealed unsafe class SharedWeightsBackend(IComputeBackend inner) : DelegatingBackend(inner)
{
    private readonly Dictionary<nint, DeviceMatrix> _matrices = [];

    public override DeviceMatrix LoadMatrix(WeightTensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (!_matrices.TryGetValue((nint)source.Data, out var matrix))
        {
            matrix = Inner.LoadMatrix(source);
            _matrices.Add((nint)source.Data, matrix);
        }

        return matrix;
    }
}
