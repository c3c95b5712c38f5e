using System.Net;
using System.Net.Sockets;

namespace Parallax.Testing.Servers;

/// <summary>Where servers under test are found, and what they need of this machine.</summary>
internal static class ServerPrograms
{
    private const int FirstPort = 10_000;
    private const int Ports = 5_000;
    private static int _portsGiven;

    /// <summary>Where ./test unpacks a package's files.</summary>
    public static string ToolFolder(string tool) => Path.Combine(TestData.RepositoryRoot, "artifacts", "tools", tool);

    /// <summary>The last of the folders' subfolders, by name, that a pattern names and that holds a file; null when there is none.</summary>
    public static string? Newest(IEnumerable<string> folders, string pattern, string file) => folders
        .Where(Directory.Exists)
        .Select(folder => Directory.GetDirectories(folder, pattern)
            .Order(StringComparer.Ordinal)
            .LastOrDefault(found => File.Exists(Path.Combine(found, file))))
        .FirstOrDefault(static found => found is not null);

    /// <summary>What a program of a package that was unpacked must be told to find the libraries that came with it.</summary>
    public static Dictionary<string, string> Libraries(string tool, string program)
    {
        var root = ToolFolder(tool);
        return program.StartsWith(root, StringComparison.Ordinal)
            ? new()
            {
                ["LD_LIBRARY_PATH"] = string.Join(':', new[] { "usr/lib", "lib" }
                .Select(folder => Path.Combine(root, folder))
                .Where(Directory.Exists)
                .SelectMany(static folder => Directory.GetDirectories(folder, "*-linux-gnu")))
            }
            : [];
    }

    /// <summary>Whether a program is on the PATH.</summary>
    public static bool IsOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Append("/usr/sbin")
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>As <see cref="FreePort"/>, several.</summary>
    public static IReadOnlyList<int> FreePorts(int count) => [.. Enumerable.Range(0, count).Select(static _ => FreePort())];

    /// <summary>
    /// A port of loopback that was free a moment ago, and that nobody is given who asks for any: it lies below those of
    /// outgoing connections, and below those of chaos swarms.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            // Two such programs at once look from different places on.
            var port = FirstPort + (((Environment.ProcessId * 61) + Interlocked.Increment(ref _portsGiven)) % Ports);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }
}
