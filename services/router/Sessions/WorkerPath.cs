using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Routing;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Sessions;

/// <summary>The ring of workers that a session travels over, from the head (layer 0) to the tail.</summary>
/// <param name="Stages">At least one.</param>
/// <param name="Offer">What the path as a whole serves.</param>
internal sealed record WorkerPath(ImmutableArray<WorkerPathStage> Stages, PathOffer Offer)
{
    /// <summary>What it was predicted to cost when it was chosen.</summary>
    public PathCost Cost { get; init; }

    /// <summary>Leading tokens of the prompt that all stages were expected to have cached when it was chosen.</summary>
    public int CachedTokens { get; init; }

    /// <summary>The shards in order, by which it is recognised on a later map.</summary>
    public ImmutableArray<ShardKey> Shards { get; init; } = [];

    /// <summary>Why it was chosen.</summary>
    public PathReason Reason { get; init; }

    /// <summary>A stage as messages to people call it, at the beginning of a sentence.</summary>
    public string Describe(int stage) => Stages.Length == 1 ? "The worker" : $"The worker of {Locate(stage)}";

    /// <summary>Which layers a stage has, and where.</summary>
    public string Locate(int stage) => $"layers {Stages[stage].Range} at {Stages[stage].Link.Address.Authority}";

    /// <summary>The workers' addresses, in order.</summary>
    public override string ToString() => string.Join(" -> ", Stages.Select(static stage => stage.Link.Address.Authority));
}

/// <summary>One worker of a path.</summary>
/// <param name="Link">The router's control stream to it.</param>
/// <param name="WorkerId">By which links between workers know it, when the path was chosen.</param>
/// <param name="LinkAddress">Where the stage before dials it.</param>
/// <param name="Range">The layers it computes.</param>
internal sealed record WorkerPathStage(WorkerLink Link, string WorkerId, Uri LinkAddress, LayerRange Range)
{
    /// <summary>The id that it gives itself now: a worker that was started without one has another after each restart.</summary>
    public string PresentWorkerId => Link.Offer?.WorkerId ?? WorkerId;
}

/// <summary>What a path as a whole serves: the least of its stages.</summary>
/// <param name="NumericClass">The same at all stages.</param>
/// <param name="ContextLimit">Greatest prompt + answer, in tokens.</param>
/// <param name="MaxSessions">Sessions open at once.</param>
/// <param name="VocabularySize">Ids are below this; the same at all stages.</param>
internal sealed record PathOffer(NumericClass NumericClass, int ContextLimit, int MaxSessions, int VocabularySize);
