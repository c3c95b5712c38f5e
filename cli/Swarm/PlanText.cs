using System.Globalization;
using System.Text;
using Parallax.Cli.Terminal;
using Parallax.Contracts.V1;

namespace Parallax.Cli.Swarm;

/// <summary>A swarm's plan for people.</summary>
internal static class PlanText
{
    /// <summary>Who leads, who is to hold what, what is expected of it, and why it is so.</summary>
    /// <param name="reply">The scheduler's answer.</param>
    /// <param name="status">Names of the workers.</param>
    public static string Format(GetPlanReply reply, SwarmStatus status)
    {
        var (plan, text) = (reply.Plan, new StringBuilder());
        var record = plan.Record;
        text.Append(CultureInfo.InvariantCulture, $"plan {record.Term}.{record.Version}");
        text.Append(reply.Leader is { } leader ? $", led by {Short(leader.Id)} at {WorkerNames.Printable(leader.Address)}" : ", and nobody leads just now");
        text.Append(plan.Cause.Length > 0
            ? string.Create(CultureInfo.InvariantCulture, $"; decided {DateTimeOffset.FromUnixTimeMilliseconds(record.DecidedAtMs):u} because {WorkerNames.Printable(plan.Cause)}\n")
            : "; nothing is decided yet\n");

        List<string[]> rows = [["MODEL", "PIPELINE", "LAYERS", "WORKER", ""]];
        rows.AddRange(record.Shards.Select(shard => new[]
        {
            WorkerNames.Printable(shard.Model),
            shard.Pipeline < 0 ? "copy" : Number(shard.Pipeline + 1),
            Layers(shard.LayerStart, shard.LayerEnd),
            WorkerNames.Of(status, shard.WorkerId),
            IsPinned(record, shard) ? "pinned" : "",
        }));
        rows.AddRange(plan.Standby.Except(record.Drain).Select(worker => new[] { "-", "standby", "-", WorkerNames.Of(status, worker), "" }));
        rows.AddRange(record.Drain.Select(worker => new[] { "-", "drains", "-", WorkerNames.Of(status, worker), "" }));
        text.Append(rows.Count > 1 ? TextTable.Format(rows) : "");

        foreach (var one in plan.Pipelines)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{WorkerNames.Printable(one.Model)} pipeline {one.Pipeline + 1}: {Figures.Digits(one.LatencyMs)} ms per token of one session, {Figures.Digits(one.TokensPerSecond)} tokens/s together\n");
        }

        foreach (var line in record.Shortages.Select(static one => $"short: {one}").Concat(plan.Reasons))
        {
            text.Append(WorkerNames.Printable(line)).Append('\n');
        }

        foreach (var move in plan.Moves)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"move: {WorkerNames.Of(status, move.WorkerId)} {WorkerNames.Printable(move.Model)} {Layers(move.From)} -> {Layers(move.To)}, loads {Figures.Bytes(move.LoadBytes)}\n");
        }

        return text.ToString();
    }

    /// <summary>What a command has led to.</summary>
    public static string Format(CommandReply reply)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Plan {reply.Version.Term}.{reply.Version.Version}: ");
        text.Append(reply.RepeatedCommand ? "it had been carried out before.\n" : reply.PlanChanged ? "layers are placed anew, see 'parallax swarm plan'.\n" : "nothing has to move.\n");
        foreach (var shortage in reply.Shortages)
        {
            text.Append("short: ").Append(WorkerNames.Printable(shortage)).Append('\n');
        }

        return text.ToString();
    }

    private static bool IsPinned(PlanRecord record, PlannedShard shard) => record.Models.Any(model => model.Shape.Name == shard.Model
        && model.Pins.Any(pin => (pin.WorkerId, pin.LayerStart, pin.LayerEnd) == (shard.WorkerId, shard.LayerStart, shard.LayerEnd)));

    private static string Layers(LayerSpan? span) => span is null ? "nothing" : Layers(span.Start, span.End);

    private static string Layers(int start, int end) => string.Create(CultureInfo.InvariantCulture, $"{start}-{end}");

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Short(string id) => WorkerNames.Printable(id.Length > 8 ? id[..8] : id);
}
