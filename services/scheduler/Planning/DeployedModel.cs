using System.Collections.Immutable;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;
using ModelShape = Parallax.Placement.ModelShape;

namespace Parallax.Scheduler.Planning;

/// <summary>A model that the swarm shall serve, with all that must be alike at its stages.</summary>
/// <param name="Shape">Sizes and work.</param>
/// <param name="Residual">Residual precision.</param>
/// <param name="LinksQ8">Whether hidden states travel in 8-bit blocks.</param>
/// <param name="ContextLimit">Prompt + answer in tokens; 0: the model's, at most 4096.</param>
/// <param name="KvTokens">Positions of KV room of each pipeline; 0: the default.</param>
/// <param name="MaxBatch">Sessions computed together; 0: the default.</param>
/// <param name="MaxPipelines">0: as many as pay.</param>
/// <param name="CanChat">Whether it has a chat template.</param>
internal sealed record DeployedModel(
    ModelShape Shape,
    NumericClass.Types.Residual Residual,
    bool LinksQ8,
    int ContextLimit,
    int KvTokens,
    int MaxBatch,
    int MaxPipelines,
    bool CanChat)
{
    public string Name => Shape.Name;

    public ModelClass Class => new(Shape.Name, Shape.WeightsHash, Residual, LinksQ8);

    public ModelDemand ToDemand(ImmutableArray<Assignment> pins) =>
        ModelDemands.Of(Shape, ContextLimit, KvTokens, MaxBatch, MaxPipelines) with { Pins = pins };
}
