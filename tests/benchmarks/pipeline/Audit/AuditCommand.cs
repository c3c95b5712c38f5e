using System.CommandLine;
using Parallax.Hosting;
using Parallax.PipelineBenchmark.Clusters;

namespace Parallax.PipelineBenchmark.Audit;

/// <summary><c>audit</c>: the same load with each mode of the request audit, in turns.</summary>
internal static class AuditCommand
{
    public static RootCommand Create()
    {
        var model = BenchmarkOptions.Model();
        var clients = BenchmarkOptions.List("--clients", "1,8", "Numbers of clients at once.");
        var threads = BenchmarkOptions.Threads();
        var tokens = BenchmarkOptions.Tokens(96);
        var rounds = BenchmarkOptions.Rounds();
        var command = new RootCommand("What the request audit costs of throughput: a router and a worker with --audit off, hashes and full, in turns.")
        {
            model, clients, threads, tokens, rounds,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(model));
            OptionsException.ThrowIfAny(Path.Exists(path) ? [] : [$"--model: '{path}' does not exist."]);
            var run = new AuditRun(
                ClusterPlan.Of(path, stages: 1, parsed.GetValue(threads)),
                BenchmarkOptions.ParseList("--clients", parsed.GetRequiredValue(clients), 1),
                BenchmarkOptions.AtLeast("--tokens", parsed.GetValue(tokens), 2),
                BenchmarkOptions.AtLeast("--rounds", parsed.GetValue(rounds), 1));
            return await run.RunAsync(Console.Out, cancellationToken);
        });
        return command;
    }
}
