using System.Globalization;
using Parallax.Testing.Members;

namespace Parallax.SwarmBenchmark.Processes;

/// <summary>A member that tells its metrics.</summary>
/// <param name="process">The process; whoever started it ends it.</param>
/// <param name="port">Where its metrics are.</param>
internal sealed class MeasuredWorker(MemberProcess process, int port) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")) };

    public MemberProcess Process => process;

    /// <summary>A metric, added up over its labels; 0 when it has not been recorded yet.</summary>
    /// <param name="metric">Its whole name in the Prometheus text.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<double> ReadAsync(string metric, CancellationToken cancellationToken)
    {
        var text = await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellationToken);
        return text.Split('\n')
            .Where(line => line.StartsWith(metric, StringComparison.Ordinal) && line.Length > metric.Length && line[metric.Length] is ' ' or '{')
            .Sum(static line => double.Parse(
                line[(line.Contains('{', StringComparison.Ordinal) ? line.LastIndexOf('}') + 1 : line.IndexOf(' ', StringComparison.Ordinal))..].Trim().Split(' ')[0],
                CultureInfo.InvariantCulture));
    }

    public void Dispose() => _http.Dispose();
}
