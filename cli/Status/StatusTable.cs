using System.Globalization;
using Parallax.Cli.Terminal;
using Parallax.Contracts.V1;

namespace Parallax.Cli.Status;

/// <summary>A swarm for people.</summary>
internal static class StatusTable
{
    /// <summary>A line for the swarm, a line per shard of each worker, and what is amiss.</summary>
    public static string Format(SwarmStatus status)
    {
        var rtts = status.Links.ToDictionary(static link => link.WorkerId, StringComparer.Ordinal);
        List<string[]> rows = [["WORKER", "NAME", "STATE", "LAYERS", "SESSIONS", "BUSY", "KV FREE", "STEP", "RTT", "MEMORY", "ADDRESS"]];
        foreach (var worker in status.Workers)
        {
            var shards = worker.Shards.Count == 0 ? [null] : worker.Shards.Select(static shard => (ServingShard?)shard).ToArray();
            rows.AddRange(shards.Select((shard, i) => Row(status, worker, shard, isFirst: i == 0, rtts)));
        }

        return $"{Heading(status)}\n{TextTable.Format(rows)}{string.Concat(Notes(status).Select(static note => note + "\n"))}";
    }

    private static string Heading(SwarmStatus status)
    {
        var plan = status.Plan is { } record
            ? string.Create(CultureInfo.InvariantCulture, $"plan {record.Term}.{record.Version}{(status.PlanExpired ? " (no scheduler renews it)" : $" of {Short(record.Scheduler)}")}")
            : "no plan";
        return $"swarm {Short(status.Swarm)}, {plan}, {status.Workers.Count} worker{(status.Workers.Count == 1 ? "" : "s")}, news by {status.Telemetry}";
    }

    private static string[] Row(SwarmStatus status, WorkerRecord worker, ServingShard? shard, bool isFirst, Dictionary<string, MemberLink> rtts) =>
    [
        isFirst ? Short(worker.WorkerId) : "",
        isFirst ? Printable(worker.Name) : "",
        State(worker, shard),
        shard?.Model is { } model ? string.Create(CultureInfo.InvariantCulture, $"{Printable(model.Name)} {model.LayerStart}-{model.LayerEnd} of {model.LayerCount}") : "-",
        shard is null ? "-" : Number(shard.Sessions) + (shard.WaitingSessions > 0 ? $" (+{Number(shard.WaitingSessions)})" : ""),
        isFirst && worker.Load is { } load ? load.Busy.ToString("0%", CultureInfo.InvariantCulture) : "",
        shard is { KvTokensTotal: > 0 } ? (shard.KvTokensFree / (double)shard.KvTokensTotal).ToString("0%", CultureInfo.InvariantCulture) : "-",
        shard?.DecodeSteps.FirstOrDefault() is { } step ? $"{Figures.Digits(step.Milliseconds)} ms" : "-",
        !isFirst ? "" : worker.WorkerId == status.Self ? "here" : rtts.TryGetValue(worker.WorkerId, out var link) && link.State == "connected" ? $"{Figures.Digits(link.RttMs)} ms" : "-",
        isFirst ? Figures.Bytes(worker.Device?.MemoryBytes ?? 0) : "",
        isFirst ? Printable(worker.Addresses.FirstOrDefault() ?? "-") : "",
    ];

    private static string State(WorkerRecord worker, ServingShard? shard) => (worker.Phase, shard?.State) switch
    {
        (WorkerPhase.Draining, _) => "leaving",
        (_, ShardState.Loading) => string.Create(CultureInfo.InvariantCulture, $"loading {shard!.LayersLoaded}/{shard.Model.LayerEnd - shard.Model.LayerStart}"),
        (_, ShardState.Draining) => "draining",
        (_, ShardState.Serving) => "serving",
        _ => worker.Phase.ToString().ToLowerInvariant(),
    };

    private static IEnumerable<string> Notes(SwarmStatus status)
    {
        foreach (var shortage in status.Plan?.Shortages ?? [])
        {
            yield return $"short: {Printable(shortage)}";
        }

        foreach (var worker in status.Workers.Where(static worker => worker.Problem.Length > 0))
        {
            yield return $"{Short(worker.WorkerId)}: {Printable(worker.Problem)}";
        }

        foreach (var worker in status.Workers.Where(static worker => worker.Unreachable.Count > 0))
        {
            yield return $"{Short(worker.WorkerId)} cannot reach {string.Join(", ", worker.Unreachable.Select(Short))}";
        }

        foreach (var link in status.Links.Where(static link => link.State == "dead"))
        {
            yield return $"{Short(link.WorkerId)} does not answer";
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Short(string id) => id.Length > 8 ? id[..8] : id;

    /// <summary>What others say of themselves must not move the cursor.</summary>
    private static string Printable(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));
}
