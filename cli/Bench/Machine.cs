using System.Globalization;
using System.Runtime.InteropServices;

namespace Parallax.Cli.Bench;

/// <summary>The machine's name in reports.</summary>
internal static class Machine
{
    /// <summary>Processor, cores, operating system.</summary>
    public static string Describe() =>
        $"{Processor()}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, .NET {Environment.Version}";

    /// <summary>
    /// A warning when other programs keep the processor busy: on a busy machine figures say little, and ratios less, since
    /// programs suffer differently from it. Null when it is idle, or when that cannot be known.
    /// </summary>
    public static string? Busyness()
    {
        const string file = "/proc/loadavg";
        return File.Exists(file) ? Busyness(File.ReadAllText(file), Environment.ProcessorCount) : null;
    }

    /// <param name="loadAverage">The text of /proc/loadavg: the first number is of the last minute.</param>
    /// <param name="processors">How many can work at once.</param>
    internal static string? Busyness(string loadAverage, int processors) =>
        double.TryParse(loadAverage.Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var load) && load > processors * 0.25
            ? string.Create(CultureInfo.InvariantCulture, $"this machine was busy when the measurement began (load {load:0.0} on {processors} cores): do not trust these figures")
            : null;

    private static string Processor()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file)
            ? File.ReadLines(file).FirstOrDefault(static l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
