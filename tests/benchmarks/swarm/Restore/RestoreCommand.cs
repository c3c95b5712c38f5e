using System.CommandLine;
using Parallax.Benchmarks.Common;
using Parallax.Hosting;

namespace Parallax.SwarmBenchmark.Restore;

/// <summary><c>restore</c>: how long a client waits when a worker is killed, with the KV cache and without.</summary>
internal static class RestoreCommand
{
    public static RootCommand Create()
    {
        var shared = new SharedOptions();
        var contexts = new Option<string>("--contexts") { Description = "Tokens of the prompts.", DefaultValueFactory = static _ => "128,1024,4096" };
        var kills = new Option<int>("--kills") { Description = "Kills at each context, with and without the KV cache.", DefaultValueFactory = static _ => 5 };
        var place = new Option<int>("--stage") { Description = "Which stage of the path is killed, from 0.", DefaultValueFactory = static _ => 1 };
        var workers = new Option<int>("--workers") { Description = "Workers.", DefaultValueFactory = static _ => 6 };
        var memory = new Option<string>("--worker-memory") { Description = "Memory of each worker: what it has room for decides how many stages there are.", DefaultValueFactory = static _ => "110MiB" };
        var command = new RootCommand("SIGKILL of a worker in mid-answer: the client's gap with blocks from the KV cache, and without it.") { contexts, kills, place, workers, memory };
        shared.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var text = parsed.GetRequiredValue(contexts);
            var lengths = text.Split(',').Select(static word => int.TryParse(word, out var number) ? number : 0).ToList();
            OptionsException.ThrowIfAny(lengths.TrueForAll(static length => length >= 16) ? [] : [$"--contexts: '{text}' is not a list like 256,1024 of numbers from 16 on."]);
            var run = new RestoreRun(shared.Model(parsed), lengths, shared.Seed(parsed), TimeProvider.System)
            {
                Kills = kills.AtLeast(parsed, 1),
                Stage = place.AtLeast(parsed, 0),
                Workers = workers.AtLeast(parsed, 2),
                WorkerMemory = parsed.GetRequiredValue(memory),
            };
            return await run.RunAsync(Console.Out, Console.Error, cancellationToken);
        });
        return command;
    }
}
