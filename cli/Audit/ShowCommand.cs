using System.Collections.Immutable;
using System.CommandLine;
using Parallax.Audit.Export;
using Parallax.Audit.Timeline;
using Parallax.Cli.Chaos;
using Parallax.EventStore;
using Parallax.Hosting;
using Parallax.Runtime.Tokenization;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit show</c>.</summary>
internal static class ShowCommand
{
    public static Command Create(SourceOptions sources)
    {
        var id = new Argument<string>("id") { Description = "The request's id." };
        var model = new Option<string?>("--model", "-m") { Description = "Show tokens as text, with the tokenizer of this model: a .gguf file, or a folder.", HelpName = "path" };
        var json = new Option<bool>("--json") { Description = "The events as they are stored, one JSON object a line." };
        var command = new Command("show", "What happened to a request, as a tree.") { id, model, json };
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.Open(parsed);
            var request = parsed.GetRequiredValue(id);
            var row = await source.FindAsync(request, stop) ?? throw Unknown(request);
            if (parsed.GetValue(json))
            {
                await using var output = Console.OpenStandardOutput();
                await foreach (var stored in source.EventsAsync(request, stop))
                {
                    await output.WriteAsync(AuditLines.Write(stored), stop);
                }

                return ExitCode.Ok;
            }

            List<StoredEvent> events = [];
            await foreach (var stored in source.EventsAsync(request, stop))
            {
                events.Add(stored);
            }

            Console.Out.Write(TimelineText.Format(row, events, parsed.GetValue(model) is { } path ? Texts(ModelTokenizer.Load(ModelLocation.Resolve(path))) : null));
            return ExitCode.Ok;
        });
        return command;
    }

    public static AuditCommandException Unknown(string request) => new($"The audit has no request '{request}'; parallax audit list shows those it has.");

    /// <summary>The text of tokens, choice by choice: a character may be of several tokens, and those of several events.</summary>
    private static Func<int, ImmutableArray<int>, string> Texts(ITokenizer tokenizer)
    {
        var choices = new Dictionary<int, IncrementalDetokenizer>();
        return (choice, ids) =>
        {
            if (!choices.TryGetValue(choice, out var text))
            {
                choices.Add(choice, text = new IncrementalDetokenizer(tokenizer));
            }

            return string.Concat(ids.Where(id => id >= 0 && id < tokenizer.VocabularySize).Select(id => text.Append(id).ToString()));
        };
    }
}
