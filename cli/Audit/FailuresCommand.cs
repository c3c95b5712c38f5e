using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Parallax.Audit.Http;
using Parallax.Audit.Timeline;
using Parallax.Cli.Terminal;
using Parallax.Hosting;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit failures</c>.</summary>
internal static class FailuresCommand
{
    public static Command Create(SourceOptions sources)
    {
        var filter = new FilterOptions();
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("failures", "How often requests lost each worker.") { json };
        filter.AddTo(command, timesOnly: true);
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.Open(parsed);
            var (since, until) = filter.ReadTimes(parsed);
            var failures = await source.FailuresAsync(since, until, stop);
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(new FailuresAnswer(failures), AuditApi.Json.FailuresAnswer));
                return ExitCode.Ok;
            }

            List<string[]> rows = [["WORKER", "LOST", "REQUESTS", "LAST (UTC)", "WHY"]];
            rows.AddRange(failures.Select(static row => (string[])
            [
                row.Worker.Length == 0 ? "(whole path)" : TimelineText.Printable(row.Worker),
                row.Losses.ToString(CultureInfo.InvariantCulture),
                row.Requests.ToString(CultureInfo.InvariantCulture),
                row.LastAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                TimelineText.Printable(row.LastProblem),
            ]));
            Console.Out.Write(TextTable.Format(rows));
            return ExitCode.Ok;
        });
        return command;
    }
}
