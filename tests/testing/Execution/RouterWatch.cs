using Parallax.Runtime.Execution;

namespace Parallax.Testing.Execution;

/// <summary>Notes which experts each row of each mixture chooses, and by what margin, in order of computation.</summary>
internal sealed class RouterWatch(IComputeBackend inner) : DelegatingBackend(inner)
{
    /// <summary>
    /// Per mixture and row: the ids above the border in ascending order, and the gap of the router's logits at the border
    /// as a fraction of the largest logit.
    /// </summary>
    public List<(string Experts, double Margin)[]> Choices { get; } = [];

    public override void MoeAdd(MoeLayer layer, DeviceTensor x, DeviceTensor residual, bool round)
    {
        DeviceMatrix[] router = [layer.Router];
        using var output = Inner.AllocateTensor(router);
        Inner.Linear(x, router, null, output);
        var logits = new float[output.Rows * output.Columns];
        output.Download(logits);
        Choices.Add([.. Enumerable.Range(0, output.Rows).Select(row =>
            Choose(logits.AsSpan(row * output.Columns, layer.Gates.Length).ToArray(), layer.Spec.TopK))]);
        Inner.MoeAdd(layer, x, residual, round);
    }

    private static (string, double) Choose(float[] logits, int topK)
    {
        var order = Enumerable.Range(0, logits.Length).OrderByDescending(expert => logits[expert]).ThenBy(expert => expert).ToArray();
        var margin = topK < order.Length ? logits[order[topK - 1]] - logits[order[topK]] : double.PositiveInfinity;
        return (string.Join(' ', order[..topK].Order()), margin / logits.Max(Math.Abs));
    }
}
