using System.CommandLine;
using System.Net.Sockets;
using Parallax.Hosting.Tracing;
using Parallax.Runtime;
using Parallax.Runtime.Weights;

namespace Parallax.Hosting.Commands;

/// <summary>Runs a service's command line: parse errors, user errors and exit codes are treated alike everywhere.</summary>
public static class ServiceCommand
{
    /// <summary>
    /// Parses <paramref name="args"/> and runs the command. Errors that a user can act on go to
    /// <paramref name="error"/> as plain text; anything else is a bug and stays an exception.
    /// </summary>
    /// <param name="command">What to run.</param>
    /// <param name="args">The command line.</param>
    /// <param name="error">Where errors go.</param>
    /// <param name="ownSignals">Whether the command listens to Ctrl-C and SIGTERM itself; else they cancel its token.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(Command command, IReadOnlyList<string> args, TextWriter error, bool ownSignals = false)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(error);
        var parsed = command.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var problem in parsed.Errors)
            {
                await error.WriteLineAsync(problem.Message);
            }

            await error.WriteLineAsync("Try --help.");
            return ExitCode.Usage;
        }

        using var tracing = ProcessTracing.Start();
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                // Ctrl-C and SIGTERM cancel the command, which then has longer than any orderly stop takes.
                ProcessTerminationTimeout = ownSignals ? null : TimeSpan.FromMinutes(11),
                Error = error,
            });
        }
        catch (Exception problem) when (CodeOf(problem) is not null)
        {
            await error.WriteLineAsync(problem.Message);
            return CodeOf(problem)!.Value;
        }
    }

    /// <summary>The exit code of an error that a user can act on, or null for a bug.</summary>
    public static int? CodeOf(Exception problem) => problem switch
    {
        OptionsException => ExitCode.Usage,
        DeviceUnavailableException => ExitCode.Device,
        ModelFormatException => ExitCode.Model,
        ParallaxException => ExitCode.Failed,
        IOException { InnerException: SocketException or Microsoft.AspNetCore.Connections.AddressInUseException } => ExitCode.Address,
        SocketException => ExitCode.Address,
        _ => null,
    };
}
