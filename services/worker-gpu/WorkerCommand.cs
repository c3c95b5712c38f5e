using System.CommandLine;
using System.CommandLine.Parsing;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Hosting.Commands;
using Parallax.Hosting.Status;
using Parallax.Runtime.Execution;
using Parallax.Swarm.Joining;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.Worker.Gpu;

/// <summary>The worker's command line.</summary>
internal static class WorkerCommand
{
    /// <summary>The command; <paramref name="run"/> gets the options, not yet validated, the swarm to join, and a token that Ctrl-C cancels.</summary>
    public static RootCommand Create(Func<WorkerOptions, JoinSettings?, CancellationToken, Task<int>> run)
    {
        var model = new Option<string?>("--model") { Description = "The model: a folder or a .gguf file." };
        var noModel = new Option<bool>("--no-model") { Description = "Start without a model and wait to be told what to load." };
        var layers = new Option<LayerRange?>("--layers") { Description = "The model's layers to hold, START-END, END exclusive, e.g. 0-10 (default: all).", CustomParser = ParseLayers };
        var id = new Option<string?>("--id") { Description = "The id by which other workers know this one (default: w- and 8 random digits)." };
        var stages = new Option<string?>("--stages") { Description = "JSON map of who holds which layers; --id names this worker's entry, which gives layers, address and port." };
        var device = new Option<string>("--device") { Description = "Compute device: cpu or cuda.", DefaultValueFactory = static _ => "cpu" };
        var context = new Option<int?>("--ctx") { Description = "Greatest prompt + answer in tokens (default: the model's, at most 4096)." };
        var threads = new Option<int?>("--threads") { Description = "Compute threads (default: one per core)." };
        var batch = new Option<int?>("--max-batch") { Description = "Sessions computed together in one step (default: 16)." };
        var residual = new Option<string>("--residual") { Description = "Precision of the stream between layers and of the KV cache: bf16 or f32; the same on all workers of a model.", DefaultValueFactory = static _ => "bf16" };
        residual.AcceptOnlyFromAmong("bf16", "f32");
        var links = new Option<string>("--link-precision") { Description = "Hidden states between stages: exact, or q8 (half the bytes, other answers than exact, and others for each cut); the same on all workers of a model.", DefaultValueFactory = static _ => "exact" };
        links.AcceptOnlyFromAmong("exact", "q8");
        var memory = new Option<long?>("--memory") { Description = "Memory for weights and KV of all shards, e.g. 4GiB (default: 80 % of what the process may use).", CustomParser = SizeText.ParsePositiveOption };
        var kvTokens = new Option<int?>("--kv-tokens") { Description = "Positions of KV room over all sessions (default: room for --max-batch sessions of --ctx within 128 MiB)." };
        var bind = new Option<string>("--bind") { Description = "IP address to listen on.", DefaultValueFactory = static _ => "127.0.0.1" };
        var insecure = new Option<bool>("--insecure") { Description = "Listen in clear text, and to everybody, also where --bind lets other machines in." };
        var port = new Option<int>("--port") { Description = "Port to listen on; 0 takes any free one.", DefaultValueFactory = static _ => WorkerOptions.DefaultPort };
        var journals = new Option<string?>("--journal-folder") { Description = "Folder of the file that takes hidden states kept for a takeover when memory for them is spent; 'none' keeps them in memory alone (default: in the user's application data)." };
        var drain = new Option<int>("--drain") { Description = "Seconds that running sessions may go on when the worker is stopped.", DefaultValueFactory = static _ => 10 };
        var command = new RootCommand("Parallax worker: runs a model's layers and serves them over gRPC to routers.")
        {
            model, noModel, layers, id, stages, device, context, threads, batch, residual, links, memory, kvTokens, bind, insecure, port, journals, drain,
        };
        var name = new Option<string?>("--name") { Description = "With --join: what people call this worker (default: its host name)." };
        var region = new Option<string?>("--region") { Description = "With --join: where it stands; planning keeps pipelines within a region where it can." };
        command.Options.Add(name);
        command.Options.Add(region);
        var join = new JoinOptions();
        join.AddTo(command);
        var status = new StatusSettings();
        status.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new WorkerOptions
            {
                Model = parsed.GetValue(model),
                NoModel = parsed.GetValue(noModel),
                Layers = parsed.GetValue(layers),
                Device = parsed.GetRequiredValue(device),
                ContextLimit = parsed.GetValue(context),
                Threads = parsed.GetValue(threads),
                MaxBatch = parsed.GetValue(batch),
                Residual = parsed.GetValue(residual) == "f32" ? ResidualPrecision.F32 : ResidualPrecision.BF16,
                Links = parsed.GetValue(links) == "q8" ? LinkPrecision.Blocks8 : LinkPrecision.Exact,
                MemoryBytes = parsed.GetValue(memory),
                KvTokens = parsed.GetValue(kvTokens),
                Bind = parsed.GetRequiredValue(bind),
                Insecure = parsed.GetValue(insecure),
                Port = parsed.GetValue(port),
                JournalFolder = parsed.GetValue(journals) switch
                {
                    null => WorkerOptions.DefaultJournalFolder,
                    "none" => null,
                    var folder => folder,
                },
                DrainTime = TimeSpan.FromSeconds(parsed.GetValue(drain)),
                Status = status.Read(parsed),
            };
            if (parsed.GetValue(id) is { } own)
            {
                options = options with { Id = own };
            }

            if (join.Read(parsed) is { } swarm)
            {
                Option[] plans = [noModel, layers, id, stages, context, residual, links, kvTokens, bind, insecure, port];
                OptionsException.ThrowIfAny([.. plans.Where(option => parsed.GetResult(option) is { Implicit: false })
                    .Select(static option => $"{option.Name}: a worker with --join gets this from its swarm; leave it out. (Where to listen is --member-listen.)")]);
                return await run(options, ToJoin(swarm, options, parsed.GetValue(name), parsed.GetValue(region)), cancellationToken);
            }

            if (parsed.GetValue(stages) is { } map)
            {
                Option[] others = [id, layers, bind, port];
                options = WorkerArguments.ApplyMap(
                    options, map, [.. others.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(static option => option.Name)]);
            }

            return await run(options, null, cancellationToken);
        });
        return command;
    }

    private static JoinSettings ToJoin(JoinSwarm swarm, WorkerOptions options, string? name, string? region) => new(swarm)
    {
        Models = options.Model is { } model ? [model] : [],
        Name = name ?? Environment.MachineName,
        Region = region ?? "",
        Memory = options.MemoryBytes,
        Threads = options.Threads,
        MaxBatch = options.MaxBatch,
        JournalFolder = options.JournalFolder,
        Device = options.Device,
        Status = options.Status,
        LeaveTime = options.DrainTime,
    };

    private static LayerRange? ParseLayers(ArgumentResult argument)
    {
        var text = argument.Tokens is [var token] ? token.Value : "";
        if (WorkerArguments.ParseLayers(text) is { } range)
        {
            return range;
        }

        argument.AddError($"--layers: '{text}' is no range of layers; use START-END, END exclusive, e.g. 0-10.");
        return null;
    }
}
