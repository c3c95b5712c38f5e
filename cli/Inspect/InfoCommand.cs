using System.CommandLine;
using Parallax.Hosting;

namespace Parallax.Cli.Inspect;

/// <summary><c>parallax info</c>.</summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var model = SharedOptions.Model();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new ExplainedCommand(
            "info",
            "Say what a model is and what it needs; reads headers, and the weights once for their hash.",
            """
            Examples:
              parallax info --model SmolLM2-135M-Instruct.Q4_1.gguf
              parallax info --model SmolLM2-135M-Instruct.Q4_1.gguf --json
            """)
        {
            model, json,
        };
        command.SetAction(parsed =>
        {
            var report = ModelReport.Of(ModelLocation.Resolve(parsed.GetValue(model)));
            Console.Out.Write(parsed.GetValue(json) ? report.ToJson() : report.ToText());
            return ExitCode.Ok;
        });
        return command;
    }
}
