using Parallax.Contracts.Identifiers;

namespace Parallax.Placement.Costs;

/// <summary>The work of one decode step of a batch, for any range of layers.</summary>
internal sealed class StepWork
{
    private readonly double[] _flops; // of the layers before i
    private readonly double[] _bytes;
    private readonly double _headFlops;
    private readonly double _headBytes;

    /// <param name="shape">The model.</param>
    /// <param name="batch">Sessions in the step, at least 1.</param>
    /// <param name="context">Tokens that each has behind it.</param>
    public StepWork(ModelShape shape, int batch, int context)
    {
        batch = Math.Max(1, batch);
        var layers = Math.Min(shape.Layers.Length, Sane.MostLayers);
        _flops = new double[layers + 1];
        _bytes = new double[layers + 1];
        for (var i = 0; i < layers; i++)
        {
            var layer = shape.Layers[i];
            var seen = Math.Max(0, Math.Min(context, layer.Window ?? int.MaxValue));
            var flops = Sane.Work(layer.Flops) + (Sane.Work(layer.FlopsPerContextToken) * seen);
            var weights = (double)Sane.Bytes(layer.WeightBytes);
            if (layer.Experts is { } experts)
            {
                var each = (double)Sane.Bytes(experts.BytesEach);
                var idle = Math.Max(0, experts.Count) - ExpectedExperts.Of(experts, batch);
                weights = Math.Max(0, weights - (idle * each));
            }

            _flops[i + 1] = _flops[i] + (batch * flops);
            _bytes[i + 1] = _bytes[i] + weights + ((double)batch * seen * Sane.Bytes(layer.KvBytesPerToken));
        }

        _headFlops = batch * Sane.Work(shape.HeadFlops);
        _headBytes = Sane.Bytes(shape.HeadBytes);
    }

    /// <summary>Layers of the model.</summary>
    public int Layers => _flops.Length - 1;

    /// <summary>
    /// Milliseconds of a stage: the greater of compute and memory over all its layers, and likewise over the LM head, which
    /// runs after them and may be bound by the other of the two.
    /// </summary>
    public double Milliseconds(LayerRange range, double tflops, double gigabytes)
    {
        var time = Math.Max(
            (_flops[range.End] - _flops[range.Start]) / (tflops * 1e9), (_bytes[range.End] - _bytes[range.Start]) / (gigabytes * 1e6));
        return range.End == Layers ? time + HeadMilliseconds(tflops, gigabytes) : time;
    }

    /// <summary>Milliseconds of the LM head alone.</summary>
    public double HeadMilliseconds(double tflops, double gigabytes) =>
        Math.Max(_headFlops / (tflops * 1e9), _headBytes / (gigabytes * 1e6));
}
