using System.CommandLine;

namespace Parallax.Worker.Gpu;

/// <summary>The worker's command line.</summary>
internal static class WorkerCommand
{
    /// <summary>The command; <paramref name="run"/> gets the options, not yet validated, and a token that Ctrl-C cancels.</summary>
    public static RootCommand Create(Func<WorkerOptions, CancellationToken, Task<int>> run)
    {
        var model = new Option<string>("--model") { Description = "The model: a folder or a .gguf file.", Required = true };
        var device = new Option<string>("--device") { Description = "Compute device: cpu or cuda.", DefaultValueFactory = static _ => "cpu" };
        var context = new Option<int?>("--ctx") { Description = "Greatest prompt + answer in tokens (default: the model's, at most 4096)." };
        var threads = new Option<int?>("--threads") { Description = "Compute threads (default: one per core)." };
        var batch = new Option<int?>("--max-batch") { Description = "Sessions computed together in one step (default: 16)." };
        var bind = new Option<string>("--bind") { Description = "IP address to listen on.", DefaultValueFactory = static _ => "127.0.0.1" };
        var port = new Option<int>("--port") { Description = "Port to listen on; 0 takes any free one.", DefaultValueFactory = static _ => WorkerOptions.DefaultPort };
        var drain = new Option<int>("--drain") { Description = "Seconds that running sessions may go on when the worker is stopped.", DefaultValueFactory = static _ => 10 };
        var command = new RootCommand("Parallax worker: runs a model's layers and serves them over gRPC to routers.")
        {
            model, device, context, threads, batch, bind, port, drain,
        };
        command.SetAction((parsed, cancellationToken) => run(
            new WorkerOptions
            {
                Model = parsed.GetRequiredValue(model),
                Device = parsed.GetRequiredValue(device),
                ContextLimit = parsed.GetValue(context),
                Threads = parsed.GetValue(threads),
                MaxBatch = parsed.GetValue(batch),
                Bind = parsed.GetRequiredValue(bind),
                Port = parsed.GetValue(port),
                DrainTime = TimeSpan.FromSeconds(parsed.GetValue(drain)),
            },
            cancellationToken));
        return command;
    }
}
