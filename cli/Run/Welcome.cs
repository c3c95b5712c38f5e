using System.Collections.Immutable;
using System.Text.Json;
using Parallax.Cli.Terminal;
using Parallax.Hosting.Http;

namespace Parallax.Cli.Run;

/// <summary>What a person sees when the server is up.</summary>
internal static class Welcome
{
    public static void Print(TextWriter output, LocalServer server, RunSettings settings)
    {
        var loaded = server.Workers.Select(static worker => worker.Shard.Loaded!).ToArray();
        var infos = server.Workers.Select(static worker => worker.Shard.Engine!.Info).ToArray();
        var spec = loaded[0].Spec;
        output.WriteLine($"""

            Serving {server.Model.Id} on {server.Address}
              model    {spec.Architecture}, {spec.Layers.Length} layers, {Figures.Bytes(loaded.Sum(static part => part.Shard.WeightBytes))} of weights, {infos[0].NumericClass.Fingerprint}
              compute  {loaded[0].Backend.Description}{Stages(server.Workers)}
              context  {infos.Min(static info => info.ContextLimit)} tokens; KV cache up to {Figures.Bytes(loaded.Sum(static part => part.Shard.KvBytes))}

            Ask it something:
              {Curl(LocalAddress.Of(server.Address), server.Model.Id, settings.ToRouter([]).NeedsKeys)}
            or talk to it in another terminal:
              parallax chat{(server.Address.Port == Router.RouterOptions.DefaultPort ? "" : $" --url {LocalAddress.Of(server.Address).GetLeftPart(UriPartial.Authority)}")}
            {Audit(settings)}Ctrl-C stops.
            """);
        output.Flush();
    }

    private static string Audit(RunSettings settings) => settings.Audit is null
        ? ""
        : $"What was asked and answered is kept on this machine ('--audit off' keeps nothing):{Environment.NewLine}  parallax audit list{Environment.NewLine}";

    /// <summary>A line per stage: worker, layers [start, end), address; nothing when one worker holds the whole model.</summary>
    private static string Stages(ImmutableArray<LocalWorker> workers) => workers.Length == 1 ? "" : string.Concat(workers.Select(static (worker, i) =>
        $"{Environment.NewLine}  {(i == 0 ? "stages" : ""),-9}{worker.Id}: layers {worker.Shard.Range.Start}-{worker.Shard.Range.End}, {Figures.Bytes(worker.Shard.Loaded!.Shard.WeightBytes)}, {worker.Address}"));

    /// <summary>A line to paste into a shell.</summary>
    internal static string Curl(Uri address, string model, bool needsKey = false)
    {
        var name = JsonEncodedText.Encode(model).ToString().Replace("'", "'\\''", StringComparison.Ordinal);
        var key = needsKey ? "-H \"Authorization: Bearer $PARALLAX_API_KEY\" " : "";
        return $$"""curl -N {{address.GetLeftPart(UriPartial.Authority)}}/v1/chat/completions {{key}}-H 'Content-Type: application/json' -d '{"model": "{{name}}", "stream": true, "messages": [{"role": "user", "content": "What is the capital of France?"}]}'""";
    }
}
