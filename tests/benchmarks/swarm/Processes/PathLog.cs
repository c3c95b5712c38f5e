using System.Text.RegularExpressions;
using Parallax.Cli.Chaos.Report;

namespace Parallax.SwarmBenchmark.Processes;

/// <summary>What a router's log says about paths, each line with the time at which it came. Thread-safe.</summary>
internal sealed partial class PathLog(TimeProvider clock)
{
    private readonly Lock _gate = new(); // guards what follows
    private readonly List<(long At, RerouteNotice Notice)> _reroutes = [];
    private string[] _path = [];

    /// <summary>Addresses of the workers of the path that was taken last, from head to tail.</summary>
    public IReadOnlyList<string> Path
    {
        get
        {
            lock (_gate)
            {
                return _path;
            }
        }
    }

    /// <summary>Reads a line.</summary>
    public void OnLine(string line)
    {
        var at = clock.GetTimestamp();
        if (Opened().Match(line) is { Success: true } opened)
        {
            lock (_gate)
            {
                _path = opened.Groups["path"].Value.Split(" -> ");
            }
        }
        else if (RerouteNotice.Parse(line) is { } notice)
        {
            lock (_gate)
            {
                _reroutes.Add((at, notice));
            }
        }
    }

    /// <summary>The first change of a path after a moment; null when there was none.</summary>
    public (long At, RerouteNotice Notice)? FirstAfter(long from)
    {
        lock (_gate)
        {
            return _reroutes.FirstOrDefault(one => one.At >= from) is { Notice: not null } found ? found : null;
        }
    }

    [GeneratedRegex(@"\d+ prompt tokens, .* on (?<path>[^ (]+( -> [^ (]+)*) \(", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Opened();
}
