using System.Globalization;
using Parallax.Runtime.Execution;

namespace Parallax.Cli.Terminal;

/// <summary>
/// Shows how far loading is: on a terminal a bar that is redrawn in place, elsewhere (a file, a pipe) a line per quarter.
/// Reports come from the loading thread, one after the other.
/// </summary>
internal sealed class LoadDisplay(TextWriter output, bool isRedirected) : IProgress<LoadProgress>
{
    private const int BarWidth = 30;
    private int _shown;

    public void Report(LoadProgress value)
    {
        if (isRedirected)
        {
            ReportLine(value);
        }
        else
        {
            ReportBar(value);
        }
    }

    private void ReportBar(LoadProgress value)
    {
        var filled = BarWidth * value.LayersLoaded / Math.Max(1, value.LayersTotal);
        output.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"\rLoading [{new string('#', filled)}{new string('.', BarWidth - filled)}] {value.LayersLoaded}/{value.LayersTotal} layers, {Figures.Bytes(value.BytesLoaded)}   "));
        if (value.LayersLoaded == value.LayersTotal)
        {
            output.WriteLine();
        }

        output.Flush();
    }

    private void ReportLine(LoadProgress value)
    {
        var quarter = 4 * value.LayersLoaded / Math.Max(1, value.LayersTotal);
        if (quarter == _shown)
        {
            return;
        }

        _shown = quarter;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"Loading: {value.LayersLoaded}/{value.LayersTotal} layers, {Figures.Bytes(value.BytesLoaded)}"));
    }
}
