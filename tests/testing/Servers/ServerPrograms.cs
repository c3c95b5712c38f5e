using System.Net;
using System.Net.Sockets;

namespace Parallax.Testing.Servers;

/// <summary>Where servers under test are found, and what they need of this machine.</summary>
internal static class ServerPrograms
{
    /// <summary>Where ./test unpacks a package's files.</summary>
    public static string ToolFolder(string tool) => Path.Combine(TestData.RepositoryRoot, "artifacts", "tools", tool);

    /// <summary>The last of the folders' subfolders, by name, that a pattern names and that holds a file; null when there is none.</summary>
    public static string? Newest(IEnumerable<string> folders, string pattern, string file) => folders
        .Where(Directory.Exists)
        .Select(folder => Directory.GetDirectories(folder, pattern)
            .Order(StringComparer.Ordinal)
            .LastOrDefault(found => File.Exists(Path.Combine(found, file))))
        .FirstOrDefault(static found => found is not null);

    /// <summary>A port of loopback that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
