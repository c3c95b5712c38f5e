using Parallax.Runtime.Execution;

namespace Parallax.Testing.Execution;

/// <summary>
/// Broken on purpose: the residual stream is rounded once at the shard's end (as if it were the link that rounds) instead
/// of after the embedding and after every layer. Where the model is cut then changes the result.
/// </summary>
/// <param name="inner">The backend that computes.</param>
/// <param name="layers">Layers of the shard that runs on this.</param>
internal sealed class RoundsAtShardEnd(IComputeBackend inner, int layers) : DelegatingBackend(inner)
{
    private int _layer;

    public override void BeginStep(StepBatch batch, int kvGroups)
    {
        _layer = 0;
        Inner.BeginStep(batch, kvGroups);
    }

    public override void Embed(DeviceMatrix table, ReadOnlySpan<int> ids, DeviceTensor output, bool round) =>
        Inner.Embed(table, ids, output, round: false);

    public override void LinearAdd(DeviceTensor x, DeviceMatrix matrix, DeviceVector? bias, DeviceTensor residual, bool round) =>
        Inner.LinearAdd(x, matrix, bias, residual, round && ++_layer == layers);

    public override void MoeAdd(MoeLayer layer, DeviceTensor x, DeviceTensor residual, bool round) =>
        Inner.MoeAdd(layer, x, residual, round && ++_layer == layers);
}
