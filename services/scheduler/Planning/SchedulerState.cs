using System.Collections.Immutable;
using Parallax.Placement;

namespace Parallax.Scheduler.Planning;

/// <summary>All that a scheduler remembers: the events so far.</summary>
internal sealed record SchedulerState
{
    public static readonly SchedulerState Empty = new();

    /// <summary>Events so far: the stream's version, and the plan's.</summary>
    public long Version { get; init; }

    /// <summary>The term that leads; 0: none yet.</summary>
    public long Term { get; init; }

    /// <summary>Who leads.</summary>
    public string Scheduler { get; init; } = "";

    /// <summary>Models that shall be served, by name.</summary>
    public ImmutableSortedDictionary<string, DeployedModel> Models { get; init; } = Map<DeployedModel>();

    /// <summary>Placements that must stay, by model and worker.</summary>
    public ImmutableArray<Assignment> Pins { get; init; } = [];

    /// <summary>Workers that shall give up everything, with the incarnation that was meant.</summary>
    public ImmutableSortedDictionary<string, long> Draining { get; init; } = Map<long>();

    /// <summary>Workers that count as gone, with the incarnation that was meant.</summary>
    public ImmutableSortedDictionary<string, long> Removed { get; init; } = Map<long>();

    /// <summary>The desired placement; null before the first.</summary>
    public PlacedPlan? Placed { get; init; }

    /// <summary>Commands that need not be carried out again.</summary>
    public CommandMemory Commands { get; init; } = CommandMemory.Empty;

    /// <summary>An empty map from ids or names, in the order of their code units.</summary>
    public static ImmutableSortedDictionary<string, T> Map<T>() => ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);
}

/// <summary>A plan as it was decided.</summary>
/// <param name="Version">The version at which it was: workers that follow a lower one have not noted it yet.</param>
/// <param name="Plan">The placement.</param>
/// <param name="Moves">What it took to get there.</param>
/// <param name="Incarnations">Of the workers that it gives something.</param>
/// <param name="DecidedAt">When.</param>
/// <param name="Cause">What led to it.</param>
internal sealed record PlacedPlan(
    long Version, AllocationPlan Plan, ImmutableArray<Move> Moves, ImmutableSortedDictionary<string, long> Incarnations, DateTimeOffset DecidedAt, string Cause);
