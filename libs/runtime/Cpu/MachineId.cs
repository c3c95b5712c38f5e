using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Parallax.Runtime.Cpu;

/// <summary>What this machine is called and how it is told from others.</summary>
internal static class MachineId
{
    private const string IdFile = "/etc/machine-id";
    private const string ProcessorFile = "/proc/cpuinfo";
    private const string CacheFolder = "/sys/devices/system/cpu/cpu0/cache";

    /// <summary>
    /// Sixteen digits that stay the same for as long as the system is installed: of the machine's id, hashed because it is
    /// not meant to be shown, and its host name (containers of one image may share the id).
    /// </summary>
    public static string FailureDomain()
    {
        var id = File.Exists(IdFile) ? File.ReadAllText(IdFile).Trim() : "";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"parallax-machine\n{id}\n{Environment.MachineName}")).AsSpan(0, 8));
    }

    /// <summary>The processor's name.</summary>
    public static string Processor()
    {
        var name = File.Exists(ProcessorFile) ? NameIn(File.ReadLines(ProcessorFile)) : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return string.IsNullOrWhiteSpace(name) ? $"{RuntimeInformation.ProcessArchitecture} processor" : name;
    }

    /// <summary>The name in the lines of /proc/cpuinfo; null when they give none, as on most ARM systems.</summary>
    internal static string? NameIn(IEnumerable<string> lines) => lines
        .Where(static line => line.StartsWith("model name", StringComparison.Ordinal) && line.Contains(':', StringComparison.Ordinal))
        .Select(static line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault(static name => name.Length > 0);

    /// <summary>Bytes of the largest cache; null where the system does not tell.</summary>
    public static long? LargestCache()
    {
        if (!Directory.Exists(CacheFolder))
        {
            return null;
        }

        return Directory.EnumerateDirectories(CacheFolder, "index*")
            .Select(static folder => Path.Combine(folder, "size"))
            .Where(File.Exists)
            .Select(static file => BytesOf(File.ReadAllText(file)))
            .Max();
    }

    /// <summary>Reads a size like 32768K; null when it is none.</summary>
    internal static long? BytesOf(string size)
    {
        var text = size.Trim();
        var unit = text.Length > 0 ? text[^1] switch { 'K' => 1L << 10, 'M' => 1L << 20, 'G' => 1L << 30, _ => 1L } : 1L;
        return long.TryParse(unit == 1 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count * unit : null;
    }
}
