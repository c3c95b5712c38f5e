using System.Runtime.InteropServices;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>Stops a process in its tracks and lets it go on, which .NET has no call for.</summary>
internal static class ProcessSignal
{
    /// <summary>Whether this system can do that.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>SIGSTOP.</summary>
    /// <returns>Whether there was such a process.</returns>
    public static bool Stop(int pid) => Send(pid, OperatingSystem.IsMacOS() ? 17 : 19) == 0;

    /// <summary>SIGCONT.</summary>
    /// <returns>Whether there was such a process.</returns>
    public static bool Continue(int pid) => Send(pid, OperatingSystem.IsMacOS() ? 19 : 18) == 0;

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Send(int pid, int signal);
}
