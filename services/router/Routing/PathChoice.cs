using System.Collections.Immutable;
using System.Globalization;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>A chosen path and why.</summary>
/// <param name="Hops">Stages from head to tail.</param>
/// <param name="Cost">What it is predicted to cost.</param>
/// <param name="Reason">Why this one.</param>
internal sealed record PathChoice(ImmutableArray<PathHop> Hops, PathCost Cost, PathReason Reason)
{
    /// <summary>Leading tokens of the prompt that all stages are expected to have cached.</summary>
    public int CachedTokens { get; init; }

    /// <summary>The shards in order, by which the path is recognised on a later map.</summary>
    public ImmutableArray<ShardKey> Shards { get; } = [.. Hops.Select(static hop => hop.Key)];
}

/// <summary>One stage of a chosen path.</summary>
/// <param name="Candidate">The candidate's index.</param>
/// <param name="Shard">Which of its shards.</param>
/// <param name="Key">Names the shard.</param>
internal readonly record struct PathHop(int Candidate, ShardOffer Shard, ShardKey Key);

/// <summary>Names a shard of a worker.</summary>
/// <param name="WorkerId">The worker.</param>
/// <param name="ShardId">The shard on it.</param>
internal readonly record struct ShardKey(string WorkerId, string ShardId);

/// <summary>Why a path was chosen.</summary>
internal enum PathReason
{
    /// <summary>It costs least.</summary>
    Best,

    /// <summary>It was taken last and costs little more than the best.</summary>
    Kept,

    /// <summary>The better of two that were drawn from those that cost little more than the best.</summary>
    Drawn,
}

/// <summary>What a path is predicted to cost, in milliseconds per token of the answer.</summary>
/// <param name="ComputeMs">Decode steps of all stages, at the batch that the session joins.</param>
/// <param name="LinkMs">Hops between the stages and back to the head, transfer included.</param>
/// <param name="QueueMs">Waiting for places in batches and for prompts that came before, spread over the answer.</param>
/// <param name="PrefillMs">The prompt, spread over the answer.</param>
/// <param name="Load">Sessions relative to room, added up over the stages.</param>
internal readonly record struct PathCost(double ComputeMs, double LinkMs, double QueueMs, double PrefillMs, double Load)
{
    /// <summary>Time of a decode step around the ring; NaN where no speeds are known and paths go by their load.</summary>
    public double StepMs => ComputeMs + LinkMs;

    /// <summary>All of it.</summary>
    public double TotalMs => ComputeMs + LinkMs + QueueMs + PrefillMs;

    /// <summary>For logs and people.</summary>
    public override string ToString() => double.IsNaN(ComputeMs)
        ? string.Create(CultureInfo.InvariantCulture, $"load {Load:0.###}, by no speeds")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{TotalMs:0.###} ms a token: compute {ComputeMs:0.###}, links {LinkMs:0.###}, queue {QueueMs:0.###}, prefill {PrefillMs:0.###}");
}
