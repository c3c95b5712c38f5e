using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Parallax.Audit.Events;
using Parallax.Audit.Http;
using Parallax.Audit.Timeline;
using Parallax.Audit.Verify;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit verify</c>.</summary>
internal static class VerifyCommand
{
    public static Command Create(SourceOptions sources)
    {
        var swarm = new Option<PeerId?>("--swarm")
        {
            Description = "The swarm that writers must be members of (parallax status shows its id). Without it, or --writer, signatures are checked against the keys that the events name.",
            HelpName = "id",
            CustomParser = static result =>
            {
                if (PeerId.TryParse(result.Tokens.Single().Value, out var id))
                {
                    return id;
                }

                result.AddError($"--swarm: '{result.Tokens.Single().Value}' is no id of 40 hexadecimal digits.");
                return null;
            },
        };
        var writer = new Option<string[]>("--writer") { Description = "A writer that is trusted, and nobody else; may be repeated.", HelpName = "id" };
        var remember = new Option<string?>("--remember")
        {
            Description = "Compare with the heads in this file, and put those that were seen into it: finds what was cut off since. Keep it where nobody can change it who can change the store.",
            HelpName = "file",
        };
        var json = new Option<bool>("--json") { Description = "A JSON object a line: progress, finding, and at last result." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "No notes and no progress." };
        var command = new ExplainedCommand(
            "verify",
            "Checks that nothing was altered, deleted, inserted or reordered, and names what was.",
            """
            Exit codes: 0 all is as it was written, 1 something is not (or the store cannot be read), 2 wrong command line.
            Notes do not fail: they say what cannot be known, e.g. how another router had left a request.
            """)
        {
            swarm, writer, remember, json, quiet,
        };
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.Open(parsed);
            var file = parsed.GetValue(remember);
            var options = new VerifyOptions
            {
                Swarm = parsed.GetValue(swarm),
                Writers = [.. parsed.GetValue(writer) ?? []],
                Remembered = file is null ? [] : RememberedHeads.Read(file),
            };
            ImmutableArray<StreamHead> seen = [];
            var result = await TellAsync(source.VerifyAsync(options, heads => seen = heads, stop), parsed.GetValue(json), parsed.GetValue(quiet));
            if (file is not null && result.IsFine)
            {
                RememberedHeads.Write(file, seen);
            }
            else if (file is not null)
            {
                await Console.Error.WriteLineAsync($"'{file}' stays as it is, because something was found.");
            }

            return result.IsFine ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<VerifyResult> TellAsync(IAsyncEnumerable<VerifyLine> lines, bool json, bool quiet)
    {
        var isShown = !json && !quiet && !Console.IsErrorRedirected;
        await foreach (var line in lines)
        {
            if (line.Error is { } error)
            {
                throw new AuditCommandException(error);
            }

            if (json)
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(line, AuditApi.Json.VerifyLine));
            }
            else if (line.Progress is { } events && isShown)
            {
                await Console.Error.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"\r{events} events"));
            }
            else if (line.Finding is { } finding && !(quiet && finding.IsNote))
            {
                Console.Out.WriteLine(TimelineText.Printable(finding.Text));
            }

            if (line.Result is { } result)
            {
                if (!json)
                {
                    Console.Out.Write(Format(result));
                }

                return result;
            }
        }

        throw new AuditCommandException("The verification broke off before its outcome.");
    }

    internal static string Format(VerifyResult result)
    {
        var unvouched = result.Unvouched == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {result.Unvouched} events wait for their first checkpoint");
        var retired = result.Retired == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {result.Retired} retired");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(result.IsFine ? "Verified" : $"{result.Findings} finding{(result.Findings == 1 ? "" : "s")}")}: {result.Events} events, {result.Segments} segments of requests{retired}, {result.Checkpoints} signed checkpoints of {result.Writers.Length} writer{(result.Writers.Length == 1 ? "" : "s")} ({string.Join(", ", result.Writers)}){unvouched}.\n");
    }
}
