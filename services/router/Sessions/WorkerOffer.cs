using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Sessions;

/// <summary>What a connected worker serves.</summary>
/// <param name="WorkerId">By which links between workers know it.</param>
/// <param name="Incarnation">Which run of the worker this is.</param>
/// <param name="Shards">The layer ranges that it serves; may be none for now.</param>
internal sealed record WorkerOffer(string WorkerId, long Incarnation, ImmutableArray<ShardOffer> Shards)
{
    /// <summary>Ranges that take no new sessions and are about to go: those that they have may go on there.</summary>
    public ImmutableArray<ShardOffer> Ending { get; init; } = [];
}

/// <summary>One range of one model's layers that a worker serves.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Range">The layers.</param>
/// <param name="LayerCount">Layers of the whole model.</param>
/// <param name="NumericClass">What its results' bits depend on.</param>
/// <param name="ContextLimit">Greatest prompt + answer, in tokens.</param>
/// <param name="MaxSessions">Sessions open at once.</param>
/// <param name="VocabularySize">Ids are below this.</param>
/// <param name="ShardId">Names the shard on its worker.</param>
internal sealed record ShardOffer(
    string Model, LayerRange Range, int LayerCount, NumericClass NumericClass, int ContextLimit, int MaxSessions, int VocabularySize, string ShardId)
{
    /// <summary>Whether it takes no new sessions.</summary>
    public bool IsEnding { get; init; }

    /// <summary>Whether it is a range of its model at all; workers are not trusted to say sensible things.</summary>
    public bool IsValid => Range.Start >= 0 && Range.Count > 0 && Range.End <= LayerCount;
}
