using System.Globalization;
using Parallax.Contracts.V1;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>Tells a person, line by line, what a worker of the swarm is doing.</summary>
internal static class LayerNews
{
    /// <summary>Writes a line at each change until it is cancelled.</summary>
    public static async Task TellAsync(SwarmWorkerApp worker, TextWriter output, CancellationToken stop)
    {
        var said = "";
        while (!stop.IsCancellationRequested)
        {
            var changed = worker.Member.Changed;
            if (worker.Member.Map.Workers.TryGetValue(worker.Member.Self, out var own) && Describe(own.Record) is var text && text != said)
            {
                said = text;
                await output.WriteLineAsync(text);
                await output.FlushAsync(CancellationToken.None);
            }

            await Task.WhenAny(changed, Task.Delay(Timeout.Infinite, stop));
        }
    }

    /// <summary>One line.</summary>
    internal static string Describe(WorkerRecord record)
    {
        var serving = string.Join(", ", record.Shards.Where(static shard => shard.State == ShardState.Serving).Select(Name));
        var loading = string.Join(", ", record.Shards.Where(static shard => shard.State == ShardState.Loading).Select(Name));
        var what = record.Phase switch
        {
            WorkerPhase.Draining => "leaving",
            _ when loading.Length > 0 => $"loading {loading}{(serving.Length > 0 ? $", serving {serving}" : "")}",
            _ when serving.Length > 0 => $"serving {serving}",
            _ => "ready, waiting for layers",
        };
        return record.Problem.Length > 0 && !record.Problem.StartsWith("fetching", StringComparison.Ordinal) ? $"{what}; {record.Problem}" : what;
    }

    private static string Name(ServingShard shard) => string.Create(
        CultureInfo.InvariantCulture, $"{shard.Model.Name} layers {shard.Model.LayerStart}-{shard.Model.LayerEnd} of {shard.Model.LayerCount}");
}
