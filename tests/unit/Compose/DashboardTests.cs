using System.Text.Json;
using System.Text.RegularExpressions;
using Parallax.Testing;

namespace Parallax.UnitTests.Compose;

/// <summary>What the dashboards ask for is what the services count.</summary>
public sealed partial class DashboardTests
{
    private static readonly string[] Endings = ["_bucket", "_total", "_seconds", "_ratio"];

    [Fact]
    public void Dashboards_AskForMetricsThatThereAre()
    {
        var folder = Path.Combine(TestData.RepositoryRoot, "compose", "observability", "grafana", "dashboards");
        var asked = Directory.GetFiles(folder, "*.json").SelectMany(Expressions).SelectMany(static text => Metric().Matches(text)).Select(static match => match.Value).ToHashSet();
        var sources = new[] { "libs", "services" }
            .SelectMany(static part => Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, part), "*.cs", SearchOption.AllDirectories))
            .Select(File.ReadAllText)
            .Where(static source => source.Contains("Meter", StringComparison.Ordinal) || source.Contains("# TYPE", StringComparison.Ordinal))
            .ToList();

        Assert.InRange(asked.Count, 8, 100);
        Assert.All(asked, metric => Assert.Contains(sources, source => Declares(source, metric)));
    }

    private static IEnumerable<string> Expressions(string path)
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(path));
        return
        [
            .. dashboard.RootElement.GetProperty("panels").EnumerateArray()
                .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray())
                .Select(static target => target.GetProperty("expr").GetString()!),
        ];
    }

    /// <summary>The router writes its names as they are; others are instruments, whose dots become underlines and whose units become endings.</summary>
    private static bool Declares(string source, string metric)
    {
        if (source.Contains($"\"{metric}\"", StringComparison.Ordinal) || source.Contains($"{metric}{{{{", StringComparison.Ordinal))
        {
            return true;
        }

        foreach (var ending in Endings)
        {
            metric = metric.EndsWith(ending, StringComparison.Ordinal) ? metric[..^ending.Length] : metric;
        }

        return Instrument().Matches(source).Any(match => match.Groups[1].Value.Replace('.', '_') == metric);
    }

    [GeneratedRegex("parallax_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex("\"(parallax\\.[a-z_.]+)\"")]
    private static partial Regex Instrument();
}
