using Parallax.Runtime.Models;

namespace Parallax.Runtime.Execution;

/// <summary>A range of a model's layers, ready for an engine, which owns <see cref="Shard"/> from then on.</summary>
public sealed class LoadedShard : IDisposable
{
    internal LoadedShard(
        ModelSource model, ShardPlan plan, ModelShard shard, IComputeBackend backend, ExecutorOptions limits, WarmUpTimes measured)
    {
        Spec = model.Spec;
        ModelName = model.DisplayName;
        Plan = plan;
        Shard = shard;
        Backend = backend;
        Limits = limits with { ContextLimit = plan.ContextLimit, Measured = measured };
    }

    /// <summary>The whole model.</summary>
    public ModelSpec Spec { get; }

    /// <summary>Its short name.</summary>
    public string ModelName { get; }

    /// <summary>What was planned.</summary>
    public ShardPlan Plan { get; }

    /// <summary>The layers; an engine disposes them.</summary>
    public ModelShard Shard { get; }

    /// <summary>What computes; disposed with this, after the engine.</summary>
    public IComputeBackend Backend { get; }

    /// <summary>Limits of the engine.</summary>
    public ExecutorOptions Limits { get; }

    /// <summary>Whether all of the model is here.</summary>
    public bool IsWhole => Shard.Range.Count == Spec.Layers.Length;

    /// <inheritdoc/>
    public void Dispose() => Backend.Dispose();
}
