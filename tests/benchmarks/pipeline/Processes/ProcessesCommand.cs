using System.CommandLine;
using Parallax.PipelineBenchmark.Peer;

namespace Parallax.PipelineBenchmark.Processes;

/// <summary><c>processes</c>: a model in one process beside the same model cut over 2, 3, ... worker processes.</summary>
internal static class ProcessesCommand
{
    private const string LlamaCppRpc = "llama.cpp-rpc";

    public static RootCommand Create()
    {
        var model = BenchmarkOptions.Model();
        var stages = BenchmarkOptions.List("--stages", "1,2,3,4", "Numbers of worker processes; 1 is the single process that the others are compared with.");
        var clients = BenchmarkOptions.List("--clients", "1,8,16", "Numbers of clients at once.");
        var threads = BenchmarkOptions.Threads();
        var tokens = BenchmarkOptions.Tokens(96);
        var rounds = BenchmarkOptions.Rounds();
        var peer = new Option<string?>("--peer") { Description = "Measure llama.cpp's RPC backend too (one client). Needs npm, git, cmake, a C++ compiler and a .gguf model.", HelpName = LlamaCppRpc };
        peer.AcceptOnlyFromAmong(LlamaCppRpc);
        var command = new RootCommand("Decoding over worker processes, streamed to HTTP clients, in turns with one process.") { model, stages, clients, threads, tokens, rounds, peer };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(model));
            var run = new ProcessesRun(
                path,
                BenchmarkOptions.ParseList("--stages", parsed.GetRequiredValue(stages), 1),
                BenchmarkOptions.ParseList("--clients", parsed.GetRequiredValue(clients), 1),
                parsed.GetValue(threads),
                BenchmarkOptions.AtLeast("--tokens", parsed.GetValue(tokens), 2),
                BenchmarkOptions.AtLeast("--rounds", parsed.GetValue(rounds), 1));
            var rpc = parsed.GetValue(peer) is null ? null : await RpcPeer.PrepareAsync(path, Console.Error.WriteLine, cancellationToken);
            return await run.RunAsync(rpc, Console.Out, cancellationToken);
        });
        return command;
    }
}
