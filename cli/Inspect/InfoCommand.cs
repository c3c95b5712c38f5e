using System.CommandLine;
using Parallax.Hosting;
using Parallax.Runtime.Cpu;

namespace Parallax.Cli.Inspect;

/// <summary><c>parallax info</c>.</summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var model = SharedOptions.Model();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var device = new Option<bool>("--device") { Description = "Measure this machine instead (about 200 ms): compute, memory bandwidth, memory for models." };
        var threads = SharedOptions.Threads();
        var command = new ExplainedCommand(
            "info",
            "Say what a model is and what it needs; reads headers, and the weights once for their hash.",
            """
            Examples:
              parallax info --model SmolLM2-135M-Instruct.Q4_1.gguf
              parallax info --model SmolLM2-135M-Instruct.Q4_1.gguf --json
              parallax info --device
            """)
        {
            model, json, device, threads,
        };
        threads.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1)
            {
                result.AddError("--threads: at least 1.");
            }
        });
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(device))
            {
                var figures = DeviceProbe.Measure(parsed.GetValue(threads) ?? 0, memoryBytes: null, TimeProvider.System);
                Console.Out.Write(parsed.GetValue(json) ? DeviceReport.ToJson(figures) : DeviceReport.ToText(figures));
                return ExitCode.Ok;
            }

            var report = ModelReport.Of(ModelLocation.Resolve(parsed.GetValue(model)));
            Console.Out.Write(parsed.GetValue(json) ? report.ToJson() : report.ToText());
            return ExitCode.Ok;
        });
        return command;
    }
}
