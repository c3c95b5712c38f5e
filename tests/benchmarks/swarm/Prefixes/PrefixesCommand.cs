using System.CommandLine;
using Parallax.Benchmarks.Common;

namespace Parallax.SwarmBenchmark.Prefixes;

/// <summary><c>prefixes</c>: time to first token of clients that share a prefix, by how paths are chosen.</summary>
internal static class PrefixesCommand
{
    public static RootCommand Create()
    {
        var shared = new SharedOptions();
        var clients = new Option<int>("--clients") { Description = "Clients at once.", DefaultValueFactory = static _ => 16 };
        var pipelines = new Option<int>("--pipelines") { Description = "Workers that have the whole model.", DefaultValueFactory = static _ => 4 };
        var prefix = new Option<int>("--prefix") { Description = "Tokens of the prefix that they share.", DefaultValueFactory = static _ => 1024 };
        var rounds = new Option<int>("--rounds") { Description = "Bursts for each way of choosing; each has another prefix.", DefaultValueFactory = static _ => 5 };
        var command = new RootCommand("A burst of clients that share a prefix which one pipeline has cached: their time to first token.") { clients, pipelines, prefix, rounds };
        shared.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var run = new PrefixesRun(shared.Model(parsed), shared.Seed(parsed), TimeProvider.System)
            {
                Clients = clients.AtLeast(parsed, 1),
                Pipelines = pipelines.AtLeast(parsed, 1),
                PrefixTokens = prefix.AtLeast(parsed, 16),
                Rounds = rounds.AtLeast(parsed, 1),
            };
            return await run.RunAsync(Console.Out, Console.Error, cancellationToken);
        });
        return command;
    }
}
