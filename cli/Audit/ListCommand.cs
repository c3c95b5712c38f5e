using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Parallax.Audit.Http;
using Parallax.Audit.Index;
using Parallax.Audit.Timeline;
using Parallax.Cli.Terminal;
using Parallax.Hosting;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit list</c>.</summary>
internal static class ListCommand
{
    public static Command Create(SourceOptions sources)
    {
        var filter = new FilterOptions();
        var limit = new Option<int>("--limit", "-n") { Description = $"How many, at most {AuditIndex.MaxPage}.", HelpName = "count", DefaultValueFactory = static _ => 50 };
        limit.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > AuditIndex.MaxPage)
            {
                result.AddError($"--limit: 1 to {AuditIndex.MaxPage}.");
            }
        });
        var after = new Option<string?>("--after") { Description = "The cursor that the page before ended with.", HelpName = "cursor" };
        var json = new Option<bool>("--json") { Description = "One JSON object: data, and next, the cursor of the next page." };
        var command = new Command("list", "Requests, newest first.") { limit, after, json };
        filter.AddTo(command);
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.Open(parsed);
            var page = await source.ListAsync(filter.Read(parsed), parsed.GetValue(after), parsed.GetValue(limit), stop);
            Console.Out.Write(parsed.GetValue(json) ? JsonSerializer.Serialize(page, AuditApi.Json.RequestPage) + "\n" : Format(page));
            return ExitCode.Ok;
        });
        return command;
    }

    internal static string Format(RequestPage page)
    {
        List<string[]> rows = [["TIME (UTC)", "REQUEST", "STATUS", "MODEL", "CLIENT", "KEY", "PROMPT", "TOKENS", "FIRST", "TOTAL", "TAKEN UP", "LOST", "REROUTED", "WORKERS"]];
        rows.AddRange(page.Data.Select(static row => (string[])
        [
            row.OpenedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            TimelineText.Printable(row.Id),
            row.ErrorCode is { } code ? $"{row.Status.Word()} ({TimelineText.Printable(code)})" : row.Status.Word(),
            TimelineText.Printable(row.Model),
            TimelineText.Printable(row.Client),
            row.Key.Length == 0 ? "-" : TimelineText.Printable(row.Key),
            Number(row.PromptTokens),
            Number(row.CompletionTokens),
            Milliseconds(row.FirstTokenMilliseconds),
            Milliseconds(row.Milliseconds),
            Number(row.Segments),
            Number(row.Losses),
            Number(row.Reroutes),
            TimelineText.Printable(string.Join(' ', row.Workers.Select(static worker => worker.Length == 40 ? worker[..8] : worker))),
        ]));
        return TextTable.Format(rows) + (page.Next is { } next ? $"More: --after {next}\n" : "");
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Milliseconds(double? time) => time is { } ms ? $"{Figures.Digits(ms)} ms" : "-";
}
