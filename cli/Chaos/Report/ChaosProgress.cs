namespace Parallax.Cli.Chaos.Report;

/// <summary>Shows how far a run is: on a terminal a line that is redrawn in place, elsewhere a line every tenth report. Thread-safe.</summary>
internal sealed class ChaosProgress(TextWriter output, bool isRedirected) : IProgress<string>
{
    private const int Every = 10;

    private readonly Lock _lock = new(); // guards the output and what follows
    private int _width;
    private int _reports;

    /// <inheritdoc/>
    public void Report(string value)
    {
        lock (_lock)
        {
            if (isRedirected)
            {
                if (_reports++ % Every == 0)
                {
                    output.WriteLine(value);
                }

                return;
            }

            output.Write("\r" + value.PadRight(_width));
            _width = value.Length;
            output.Flush();
        }
    }

    /// <summary>Leaves the line.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (!isRedirected && _width > 0)
            {
                output.WriteLine();
            }
        }
    }
}
