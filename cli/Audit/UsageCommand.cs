using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Parallax.Audit.Http;
using Parallax.Audit.Timeline;
using Parallax.Cli.Terminal;
using Parallax.Hosting;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit usage</c>.</summary>
internal static class UsageCommand
{
    public static Command Create(SourceOptions sources)
    {
        var filter = new FilterOptions();
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("usage", "Requests and tokens by day, API key, client and model.") { json };
        filter.AddTo(command);
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.Open(parsed);
            var usage = await source.UsageAsync(filter.Read(parsed), stop);
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(new UsageAnswer(usage), AuditApi.Json.UsageAnswer));
                return ExitCode.Ok;
            }

            List<string[]> rows = [["DAY (UTC)", "KEY", "CLIENT", "MODEL", "REQUESTS", "COMPLETED", "PROMPT", "CACHED", "TOKENS"]];
            rows.AddRange(usage.Select(static row => (string[])
            [
                row.Day, row.Key.Length == 0 ? "-" : TimelineText.Printable(row.Key), TimelineText.Printable(row.Client), TimelineText.Printable(row.Model),
                Number(row.Requests), Number(row.Completed), Number(row.PromptTokens), Number(row.CachedTokens), Number(row.CompletionTokens),
            ]));
            Console.Out.Write(TextTable.Format(rows));
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
