using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Workflow;

/// <summary>The state as the swarm hears of it.</summary>
internal static class PlanRecords
{
    public static PlanRecord Of(SchedulerState state)
    {
        var record = new PlanRecord
        {
            Term = state.Term,
            Version = state.Version,
            Scheduler = state.Scheduler,
            DecidedAtMs = state.Placed?.DecidedAt.ToUnixTimeMilliseconds() ?? 0,
        };
        record.Models.AddRange(state.Models.Values.Select(model => ToWire(model, state)));
        record.Drain.AddRange(state.Draining.Keys.Concat(state.Removed.Keys).Order(StringComparer.Ordinal));
        if (state.Placed is { } placed)
        {
            record.Shards.AddRange(Numbered(placed.Plan).SelectMany(one => one.Pipeline.Stages.Select(stage => ToWire(stage, one.Number, state))));
            record.Shards.AddRange(placed.Plan.Replicas.Select(replica => ToWire(replica, -1, state)));
            record.Shortages.AddRange(placed.Plan.Shortages.Select(static shortage => shortage.Text));
        }

        return record;
    }

    /// <summary>The plan with what people want to know of it.</summary>
    public static PlanDetails Details(SchedulerState state)
    {
        var details = new PlanDetails { Record = Of(state) };
        if (state.Placed is not { } placed)
        {
            return details;
        }

        details.Pipelines.AddRange(Numbered(placed.Plan).Select(static one => new PipelinePrediction
        {
            Model = one.Pipeline.Model,
            Pipeline = one.Number,
            LatencyMs = one.Pipeline.LatencyMs,
            TokensPerSecond = one.Pipeline.TokensPerSecond,
        }));
        details.Standby.AddRange(placed.Plan.Standby);
        details.Reasons.AddRange(placed.Plan.Reasons);
        details.Cause = placed.Cause;
        foreach (var move in placed.Moves)
        {
            details.Moves.Add(new PlanMove { WorkerId = move.Node, Model = move.Model, From = Span(move.From), To = Span(move.To), LoadBytes = move.LoadBytes });
        }

        return details;

        static LayerSpan? Span(Contracts.Identifiers.LayerRange? range) => range is { } layers ? new LayerSpan { Start = layers.Start, End = layers.End } : null;
    }

    private static IEnumerable<(PlannedPipeline Pipeline, int Number)> Numbered(AllocationPlan plan) =>
        plan.Pipelines.GroupBy(static pipeline => pipeline.Model, StringComparer.Ordinal).SelectMany(static group => group.Select(static (pipeline, number) => (pipeline, number)));

    private static PlannedModel ToWire(DeployedModel model, SchedulerState state)
    {
        var wire = new PlannedModel
        {
            Shape = ModelShapes.ToWire(model.Shape, model.CanChat),
            Residual = model.Residual,
            LinksQ8 = model.LinksQ8,
            ContextLimit = model.ContextLimit,
            KvTokens = model.KvTokens,
            MaxBatch = model.MaxBatch,
            MaxPipelines = model.MaxPipelines,
        };
        wire.Pins.AddRange(state.Pins.Where(pin => pin.Model == model.Name).Select(pin => ToWire(pin, 0, state)));
        return wire;
    }

    private static PlannedShard ToWire(Assignment assignment, int pipeline, SchedulerState state) => new()
    {
        WorkerId = assignment.Node,
        Model = assignment.Model,
        WeightsHash = state.Models.TryGetValue(assignment.Model, out var model) ? model.Shape.WeightsHash : "",
        LayerStart = assignment.Range.Start,
        LayerEnd = assignment.Range.End,
        Pipeline = pipeline,
    };
}
