using Parallax.Cli.Chaos.Report;

namespace Parallax.FailoverBenchmark.Gap;

/// <summary>The changes of paths that routers log, each with the time at which its line came. Thread-safe.</summary>
internal sealed class RerouteWatch(TimeProvider clock)
{
    private readonly Lock _lock = new(); // guards _notices
    private readonly List<(long At, RerouteNotice Notice)> _notices = [];

    public void OnLine(string line)
    {
        var at = clock.GetTimestamp();
        if (RerouteNotice.Parse(line) is { } notice)
        {
            lock (_lock)
            {
                _notices.Add((at, notice));
            }
        }
    }

    /// <summary>Those that came between two moments.</summary>
    public IReadOnlyList<(long At, RerouteNotice Notice)> Between(long from, long to)
    {
        lock (_lock)
        {
            return [.. _notices.Where(notice => notice.At >= from && notice.At <= to)];
        }
    }
}
