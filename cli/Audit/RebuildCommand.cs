using System.CommandLine;
using System.Globalization;
using Parallax.Hosting;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit rebuild</c>.</summary>
internal static class RebuildCommand
{
    public static Command Create(SourceOptions sources)
    {
        var command = new Command("rebuild", "Makes the index (what list, show, usage and failures read) anew from the events.");
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.OpenStore(parsed);
            var events = await source.RebuildAsync(stop);
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Rebuilt from {events} events."));
            return ExitCode.Ok;
        });
        return command;
    }
}
