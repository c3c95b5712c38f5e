using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;
using Parallax.Placement.Planning;

namespace Parallax.Placement.Incremental;

/// <summary>What nodes really hold, by model: what can be kept, and all of it.</summary>
internal sealed class Holdings
{
    private readonly List<Stage>[] _sound;
    private readonly Dictionary<(string Model, string Node), LayerRange> _largest = [];

    public Holdings(Workspace work, ImmutableArray<Assignment> current)
    {
        var known = (current.IsDefault ? [] : current)
            .Where(one => one?.Model is not null && work.Room(one.Node) is not null)
            .Distinct()
            .OrderBy(static one => one.Node, StringComparer.Ordinal)
            .ThenBy(static one => one.Model, StringComparer.Ordinal)
            .ThenByDescending(static one => one.Range.Count)
            .ThenBy(static one => one.Range.Start);
        All = [.. known];
        _sound = [.. work.Models.Select(static _ => new List<Stage>())];
        var used = new Dictionary<NodeRoom, MemoryNeed>();
        foreach (var one in All)
        {
            var at = Index(work, one.Model);
            var room = work.Room(one.Node)!;
            if (at < 0 || !Workspace.IsRange(work.Models[at], one.Range))
            {
                continue;
            }

            _largest.TryAdd((one.Model, one.Node), one.Range);
            // Memory may have shrunk since: what does not fit beside the rest is not kept.
            var (before, need) = (used.GetValueOrDefault(room), work.Models[at].Need(one.Range, room.Factor));
            var after = new MemoryNeed(before.Weights + need.Weights, before.Total + need.Total);
            if (after.Weights <= room.WeightLimit && after.Total <= room.Memory)
            {
                used[room] = after;
                _sound[at].Add(new Stage(room, one.Range));
            }
        }
    }

    /// <summary>Everything that known nodes hold, in a fixed order.</summary>
    public ImmutableArray<Assignment> All { get; }

    /// <summary>What nodes hold of a model and have room for.</summary>
    public IReadOnlyList<Stage> Sound(int at) => _sound[at];

    /// <summary>What a node holds of a model; of several ranges the longest.</summary>
    public LayerRange? Of(string model, NodeRoom room) => _largest.TryGetValue((model, room.Id), out var range) ? range : null;

    private static int Index(Workspace work, string model)
    {
        for (var i = 0; i < work.Models.Length; i++)
        {
            if (work.Models[i].Name == model)
            {
                return i;
            }
        }

        return -1;
    }
}
