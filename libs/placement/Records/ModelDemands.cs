namespace Parallax.Placement.Records;

/// <summary>What a model's parameters ask of a plan: the same for a scheduler and for workers that place themselves.</summary>
public static class ModelDemands
{
    /// <summary>The demand; parameters that are 0 mean the default, as in <see cref="Contracts.V1.PlannedModel"/>.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="contextLimit">Tokens of a session at most.</param>
    /// <param name="kvTokens">Positions of KV room of each pipeline.</param>
    /// <param name="maxBatch">Sessions computed together.</param>
    /// <param name="maxPipelines">Pipelines at most.</param>
    public static ModelDemand Of(ModelShape shape, int contextLimit, int kvTokens, int maxBatch, int maxPipelines)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var demand = new ModelDemand(shape) { MaxPipelines = maxPipelines <= 0 ? null : maxPipelines };
        var context = Math.Min(contextLimit <= 0 ? shape.ContextLimit : contextLimit, shape.ContextLimit);
        return demand with
        {
            KvTokens = kvTokens <= 0 ? demand.KvTokens : kvTokens,
            Batch = maxBatch <= 0 ? demand.Batch : maxBatch,
            Context = Math.Min(demand.Context, context),
        };
    }
}
