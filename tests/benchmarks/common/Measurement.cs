using System.CommandLine;
using Parallax.Cli;
using Parallax.Hosting.Commands;

namespace Parallax.Benchmarks.Common;

/// <summary>One of a program's measurements; compiled into each of the programs.</summary>
internal static class Measurement
{
    /// <summary>Measures; an interruption ends that, and what there is by then is worth a report.</summary>
    /// <param name="measure">Measures.</param>
    /// <param name="hasSome">Whether anything has been measured; if not, the interruption goes on.</param>
    /// <param name="output">Where the report goes.</param>
    /// <param name="interrupted">Cancelled by Ctrl-C.</param>
    public static async Task UntilInterruptedAsync(Func<Task> measure, Func<bool> hasSome, TextWriter output, CancellationToken interrupted)
    {
        try
        {
            await measure();
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested && hasSome())
        {
            output.WriteLine("Interrupted: what has been measured so far.");
        }
    }

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
