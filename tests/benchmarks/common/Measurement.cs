using System.CommandLine;
using Parallax.Cli;
using Parallax.Hosting.Commands;

namespace Parallax.Benchmarks.Common;

/// <summary>One of a program's measurements; compiled into each of the programs.</summary>
internal static class Measurement
{
    /// <summary>Runs it; the exit code.</summary>
    public static async Task<int> RunAsync(RootCommand command, string[] arguments)
    {
        try
        {
            return await ServiceCommand.RunAsync(command, arguments, Console.Error);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C or SIGTERM; what was started has been stopped on the way here.
            Console.Error.WriteLine("Interrupted; nothing is reported.");
            return Interruption.ExitCode;
        }
    }
}
