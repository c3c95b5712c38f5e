using System.CommandLine;
using Parallax.Cli.Terminal;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Worker.Gpu;

namespace Parallax.Cli.Shards;

/// <summary><c>parallax shards</c>.</summary>
internal static class ShardsCommand
{
    public static Command Create()
    {
        var worker = new Option<string>("--worker", "-w")
        {
            Description = "The worker's address.",
            DefaultValueFactory = static _ => $"http://127.0.0.1:{WorkerOptions.DefaultPort}",
            HelpName = "address",
            Recursive = true,
        };
        var command = new ExplainedCommand(
            "shards",
            "List, load and unload what a worker serves.",
            """
            Examples:
              parallax shards list
              parallax shards load ~/models/SmolLM2-135M-Instruct.Q4_1.gguf --layers 0-10 --worker http://10.0.0.2:7101
              parallax shards load models/demo --replaces s1
              parallax shards unload s2 --drain 30
            """)
        {
            worker, CreateList(worker), CreateLoad(worker), CreateUnload(worker),
        };
        return command;
    }

    private static Command CreateList(Option<string> worker)
    {
        var command = new Command("list", "What the worker holds, and its memory.");
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(worker)!, async (client, stop) =>
            Console.Out.Write(ShardTable.Format(await client.ListAsync(stop)))));
        return command;
    }

    private static Command CreateLoad(Option<string> worker)
    {
        var model = new Argument<string>("model") { Description = "A model folder or .gguf file on the worker's machine." };
        var layers = new Option<string?>("--layers") { Description = "Layers START-END, END exclusive. Default: all.", HelpName = "start-end" };
        var residual = SharedOptions.Residual();
        var context = new Option<int>("--ctx") { Description = "Greatest length of prompt and answer together, in tokens. Default: the model's own, at most 4096.", HelpName = "tokens" };
        var kvTokens = new Option<int>("--kv-tokens") { Description = "Positions of KV room over all sessions. Default: the worker's.", HelpName = "tokens" };
        var batch = new Option<int>("--max-batch") { Description = "Sessions computed together. Default: 16.", HelpName = "count" };
        var replaces = new Option<string?>("--replaces") { Description = "A shard that is drained and unloaded once this one serves.", HelpName = "shard" };
        var command = new Command("load", "Load a model, or a range of its layers, beside what the worker serves.")
        {
            model, layers, residual, context, kvTokens, batch, replaces,
        };
        command.SetAction((parsed, _) =>
        {
            var named = parsed.GetValue(model)!;
            var request = new LoadShardRequest
            {
                // A path that exists here is meant from here; any other one is the worker's business.
                ModelPath = Path.Exists(named) ? Path.GetFullPath(named) : named,
                Residual = parsed.GetValue(residual) == "f32" ? NumericClass.Types.Residual.F32 : NumericClass.Types.Residual.Bf16,
                ContextLimit = parsed.GetValue(context),
                KvTokens = parsed.GetValue(kvTokens),
                MaxBatch = parsed.GetValue(batch),
                Replaces = parsed.GetValue(replaces) ?? "",
            };
            if (parsed.GetValue(layers) is { } text)
            {
                var range = WorkerArguments.ParseLayers(text)
                    ?? throw new OptionsException([$"--layers: '{text}' is no range of layers; use START-END, END exclusive, e.g. 0-10."]);
                (request.LayerStart, request.LayerEnd) = (range.Start, range.End);
            }

            return RunAsync(parsed.GetValue(worker)!, async (client, stop) =>
            {
                var served = await client.LoadAsync(request, new LoadDisplay(Console.Error, Console.IsErrorRedirected), stop);
                Console.Out.WriteLine($"{served.ShardId} serves {served.Name}, layers {served.LayerStart}-{served.LayerEnd} of {served.LayerCount}.");
            });
        });
        return command;
    }

    private static Command CreateUnload(Option<string> worker)
    {
        var id = new Argument<string>("shard") { Description = "The shard, as 'list' names it." };
        var drain = new Option<int>("--drain") { Description = "Seconds that running sessions may go on; then they end with an error.", DefaultValueFactory = static _ => 10, HelpName = "seconds" };
        var command = new Command("unload", "Let a shard's sessions end and free its memory.") { id, drain };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(worker)!, async (client, stop) =>
        {
            var ended = await client.UnloadAsync(parsed.GetValue(id)!, TimeSpan.FromSeconds(parsed.GetValue(drain)), stop);
            Console.Out.WriteLine($"{parsed.GetValue(id)} is unloaded; {ended} session{(ended == 1 ? " was" : "s were")} ended.");
        }));
        return command;
    }

    private static async Task<int> RunAsync(string worker, Func<ShardsClient, CancellationToken, Task> run)
    {
        using var client = new ShardsClient(worker);
        using var signals = new StopSignals();
        try
        {
            await run(client, signals.Asked);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
    }
}
