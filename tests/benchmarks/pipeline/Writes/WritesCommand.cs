using System.CommandLine;

namespace Parallax.PipelineBenchmark.Writes;

/// <summary><c>writes</c>: what copying filled KV blocks out in the background costs the sessions that run.</summary>
internal static class WritesCommand
{
    public static RootCommand Create()
    {
        var model = BenchmarkOptions.Model();
        var clients = BenchmarkOptions.List("--clients", "1,8", "Numbers of sessions at once.");
        var threads = BenchmarkOptions.Threads();
        var prompt = new Option<int>("--prompt") { Description = "Tokens of each prompt.", DefaultValueFactory = static _ => 128 };
        var tokens = BenchmarkOptions.Tokens(96);
        var rounds = BenchmarkOptions.Rounds();
        var command = new RootCommand("One engine that offers its filled KV blocks to an exchange, and one that does not, by turns.") { model, clients, threads, prompt, tokens, rounds };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var run = new WritesRun(
                Path.GetFullPath(parsed.GetRequiredValue(model)),
                BenchmarkOptions.ParseList("--clients", parsed.GetRequiredValue(clients), 1),
                parsed.GetValue(threads),
                BenchmarkOptions.AtLeast("--prompt", parsed.GetValue(prompt), 1),
                BenchmarkOptions.AtLeast("--tokens", parsed.GetValue(tokens), 2),
                BenchmarkOptions.AtLeast("--rounds", parsed.GetValue(rounds), 1));
            return await run.RunAsync(Console.Out, cancellationToken);
        });
        return command;
    }
}
