using System.CommandLine;

namespace Parallax.Scheduler;

/// <summary>The scheduler's command line.</summary>
internal static class SchedulerCommand
{
    /// <summary>The command.</summary>
    public static RootCommand Create() => new("Parallax scheduler: decides which worker holds which layers.");
}
