using Parallax.Runtime.Execution;

namespace Parallax.Testing.Execution;

/// <summary>
/// Broken on purpose: in a batch of at least <paramref name="rows"/> rows, the row before the last one nudges the last
/// one by a trace, as a kernel would that sums in another order when its tile is full.
/// </summary>
/// <param name="inner">The backend that computes.</param>
/// <param name="rows">The smallest batch that is wrong.</param>
internal sealed class LeaksBetweenRows(IComputeBackend inner, int rows) : DelegatingBackend(inner)
{
    public override void RmsNorm(DeviceTensor x, DeviceVector weight, float epsilon, DeviceTensor output)
    {
        Inner.RmsNorm(x, weight, epsilon, output);
        if (output.Rows < rows)
        {
            return;
        }

        var values = new float[output.Rows * output.Columns];
        output.Download(values);
        var last = values.AsSpan()[^output.Columns..];
        last[0] += 1e-6f * values[^(2 * output.Columns)];
        output.Upload(values);
    }
}
