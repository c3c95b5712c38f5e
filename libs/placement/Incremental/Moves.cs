using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Placement.Planning;

namespace Parallax.Placement.Incremental;

/// <summary>What it takes to get from what nodes hold to a plan.</summary>
internal static class Moves
{
    /// <summary>Ordered by node, then model; nodes that are gone take no part.</summary>
    public static ImmutableArray<Move> Between(Workspace work, ImmutableArray<Assignment> current, AllocationPlan plan)
    {
        var holdings = new Holdings(work, current);
        var wanted = plan.Assignments().ToDictionary(static one => (one.Node, one.Model));
        var moves = new List<Move>();
        foreach (var held in holdings.All.GroupBy(static one => (one.Node, one.Model)))
        {
            wanted.Remove(held.Key, out var target);
            if (target is not null && !held.Contains(target))
            {
                // The longest range is what the new one is loaded from.
                var from = held.First().Range;
                moves.Add(new Move(target.Node, target.Model, from, target.Range, LoadBytes(work, target, from)));
                moves.AddRange(held.Skip(1).Select(static one => new Move(one.Node, one.Model, one.Range, null, 0)));
            }
            else
            {
                moves.AddRange(held.Where(one => one != target).Select(static one => new Move(one.Node, one.Model, one.Range, null, 0)));
            }
        }

        moves.AddRange(wanted.Values.Select(target => new Move(target.Node, target.Model, null, target.Range, LoadBytes(work, target, null))));
        return [.. moves
            .OrderBy(static move => move.Node, StringComparer.Ordinal)
            .ThenBy(static move => move.Model, StringComparer.Ordinal)
            .ThenBy(static move => move.To is null)
            .ThenBy(static move => move.From?.Start ?? -1)];
    }

    private static long LoadBytes(Workspace work, Assignment target, LayerRange? held)
    {
        var costs = work.Models.First(one => one.Name == target.Model);
        return costs.LoadBytes(work.Room(target.Node)!, held is { } range && Workspace.IsRange(costs, range) ? range : null, target.Range);
    }
}
