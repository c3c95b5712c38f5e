using Parallax.Runtime.Execution;

namespace Parallax.Cli.Run;

/// <summary>Several loads as one: the layers and bytes of all of them. Thread-safe; reports one at a time.</summary>
/// <param name="output">Told the sums.</param>
/// <param name="layers">Layers of all loads together.</param>
/// <param name="parts">How many loads.</param>
internal sealed class CombinedProgress(IProgress<LoadProgress> output, int layers, int parts)
{
    private readonly Lock _gate = new(); // guards _last, and orders reports
    private readonly LoadProgress[] _last = new LoadProgress[parts];

    /// <summary>What one of the loads reports to.</summary>
    public IProgress<LoadProgress> Part(int index) => new PartProgress(this, index);

    private void Report(int index, LoadProgress value)
    {
        lock (_gate)
        {
            _last[index] = value;
            output.Report(new LoadProgress(_last.Sum(static part => part.LayersLoaded), layers, _last.Sum(static part => part.BytesLoaded)));
        }
    }

    private sealed class PartProgress(CombinedProgress whole, int index) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => whole.Report(index, value);
    }
}
