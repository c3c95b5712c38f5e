using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>This program, to be started again as a service.</summary>
internal static class ParallaxProgram
{
    private const string Assembly = "Parallax.Cli";

    /// <summary>
    /// How to start <c>parallax</c> with arguments: by the .NET host that runs this process and the assembly that lies
    /// beside it, or by the program itself where it was published as one file.
    /// </summary>
    public static ProcessStartInfo Start(IEnumerable<string> arguments)
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, Assembly + ".dll");
        var start = File.Exists(assembly)
            ? new ProcessStartInfo(Host(), [assembly, .. arguments])
            : new ProcessStartInfo(Environment.ProcessPath ?? throw new ChaosException("The path of this program is not known, so that it cannot be started again."), arguments);
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        start.Environment.TryAdd("DOTNET_GCgen0size", "0x1000000"); // as the `parallax` script has it
        return start;
    }

    private static string Host()
    {
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var host = Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
        return File.Exists(host) ? host : "dotnet";
    }
}
