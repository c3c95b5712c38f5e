using System.Collections.Immutable;
using Parallax.Contracts.V1;

namespace Parallax.Placement.Records;

/// <summary>Models as a plan names them, in placement's terms.</summary>
public static class PlannedModels
{
    /// <summary>What is to be placed: the shape with the plan's own figures; what the plan leaves open has placement's defaults.</summary>
    /// <param name="model">Of a plan; its shape must have no <see cref="ModelShapes.Problems"/>.</param>
    /// <param name="pins">Placements that must stay.</param>
    public static ModelDemand ToDemand(PlannedModel model, ImmutableArray<Assignment> pins)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Demand(ModelShapes.FromWire(model.Shape), model.ContextLimit, model.KvTokens, model.MaxBatch, model.MaxPipelines, pins);
    }

    /// <summary>The same of figures that stand by themselves; 0 leaves one open.</summary>
    public static ModelDemand Demand(
        ModelShape shape, int contextLimit, int kvTokens, int maxBatch, int maxPipelines, ImmutableArray<Assignment> pins)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var demand = new ModelDemand(shape) { Pins = pins, MaxPipelines = maxPipelines <= 0 ? null : maxPipelines };
        var context = contextLimit <= 0 ? shape.ContextLimit : Math.Min(contextLimit, shape.ContextLimit);
        return demand with
        {
            KvTokens = kvTokens <= 0 ? demand.KvTokens : kvTokens,
            Batch = maxBatch <= 0 ? demand.Batch : maxBatch,
            Context = Math.Min(demand.Context, context),
        };
    }
}
