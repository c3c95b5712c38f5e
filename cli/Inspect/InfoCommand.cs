using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Hosting;
using Parallax.ModelFiles.Storage;
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
        var manifest = new Option<bool>("--manifest") { Description = "Also say the hash of the model's manifest, which names every byte of its files; reads all of them." };
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
            model, json, manifest, device, threads,
        };
        threads.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1)
            {
                result.AddError("--threads: at least 1.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(device))
            {
                var figures = DeviceProbe.Measure(parsed.GetValue(threads) ?? 0, memoryBytes: null, TimeProvider.System);
                Console.Out.Write(parsed.GetValue(json) ? DeviceReport.ToJson(figures) : DeviceReport.ToText(figures));
                return ExitCode.Ok;
            }

            var path = await HubModel.ResolveAsync(parsed.GetValue(model), Console.Error, cancellationToken);
            var report = ModelReport.Of(path);
            if (parsed.GetValue(manifest))
            {
                await using var store = new ModelStore(new ModelStoreOptions(), TimeProvider.System, NullLogger<ModelStore>.Instance);
                report = report with { ManifestHash = (await store.AddAsync(path, cancellationToken)).ManifestHash };
            }

            Console.Out.Write(parsed.GetValue(json) ? report.ToJson() : report.ToText());
            return ExitCode.Ok;
        });
        return command;
    }
}
