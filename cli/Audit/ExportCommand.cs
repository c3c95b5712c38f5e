using System.CommandLine;
using Parallax.Audit.Export;
using Parallax.Hosting;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit export</c>.</summary>
internal static class ExportCommand
{
    public static Command Create(SourceOptions sources)
    {
        var id = new Argument<string?>("id") { Description = "A request; without it, everything.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("export", "Events as they are stored, one JSON object a line, to the standard output.") { id };
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.Open(parsed);
            if (parsed.GetValue(id) is { } request && await source.FindAsync(request, stop) is null)
            {
                throw ShowCommand.Unknown(request);
            }

            await using var output = new BufferedStream(Console.OpenStandardOutput(), 1 << 16);
            try
            {
                await foreach (var stored in source.EventsAsync(parsed.GetValue(id), stop))
                {
                    await output.WriteAsync(AuditLines.Write(stored), stop);
                }

                await output.FlushAsync(stop);
            }
            catch (IOException problem)
            {
                throw new AuditCommandException($"The export could not be written: {problem.Message}", problem);
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
