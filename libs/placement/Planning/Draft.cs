using Parallax.Placement.Costs;
using Parallax.Placement.Pipelines;

namespace Parallax.Placement.Planning;

/// <summary>A plan in the making, by model in the order of <see cref="Workspace.Models"/>.</summary>
internal sealed class Draft(Workspace work)
{
    private readonly HashSet<Pipeline> _kept = [];
    private readonly List<Stage>[] _pins = [.. work.Models.Select(static _ => new List<Stage>())];

    public Workspace Work { get; } = work;

    public List<Pipeline>[] Pipelines { get; } = [.. work.Models.Select(static _ => new List<Pipeline>())];

    /// <summary>What nodes hold beside pipelines: pins that no pipeline goes through, and warm replicas.</summary>
    public List<Stage>[] Replicas { get; } = [.. work.Models.Select(static _ => new List<Stage>())];

    public List<string> Reasons { get; } = [];

    /// <summary>Everything that somebody is to hold.</summary>
    public IEnumerable<Assignment> Assignments() => Enumerable.Range(0, Pipelines.Length).SelectMany(at =>
        Pipelines[at].SelectMany(static pipeline => pipeline.Stages).Concat(Replicas[at]).Select(stage => new Assignment(stage.Room.Id, Work.Models[at].Name, stage.Range)));

    /// <summary>Models that are served.</summary>
    public int Served => Pipelines.Count(static pipelines => pipelines.Count > 0);

    /// <summary>Whether a pipeline goes through pins or is there already, and so is not to be planned anew.</summary>
    public bool IsKept(Pipeline pipeline) => _kept.Contains(pipeline);

    /// <summary>Adds pipelines that stay, and takes what their nodes do not hold yet. What a node is to hold stands at one place.</summary>
    public void Keep(int at, IEnumerable<Pipeline> pipelines)
    {
        var costs = Work.Models[at];
        foreach (var pipeline in pipelines)
        {
            foreach (var (room, range) in pipeline.Stages.Where(stage => !Work.Holds(costs, stage.Room)))
            {
                Work.Take(costs, room, range);
            }

            // A pin that no pipeline went through so far may be a stage of this one.
            Replicas[at].RemoveAll(stage => pipeline.Stages.Contains(stage));
            _kept.Add(pipeline);
            Pipelines[at].Add(pipeline);
        }
    }

    /// <summary>Takes a model's pins, before anything else is planned.</summary>
    public void TakePins(int at)
    {
        var costs = Work.Models[at];
        _pins[at] = Pinning.Sound(Work, costs, Reasons);
        foreach (var (room, range) in _pins[at])
        {
            Work.Take(costs, room, range);
        }
    }

    /// <summary>Makes pipelines through the pins that no pipeline goes through yet.</summary>
    public void CompletePins(int at)
    {
        var costs = Work.Models[at];
        var served = Pipelines[at].SelectMany(static pipeline => pipeline.Stages).ToHashSet();
        var open = _pins[at].Where(pin => !served.Contains(pin)).ToList();
        var most = Math.Max(0, Workspace.MostPipelines(costs) - Pipelines[at].Count);
        Keep(at, Pinning.Complete(Work, costs, open, most));
        served = [.. Pipelines[at].SelectMany(static pipeline => pipeline.Stages)];
        Replicas[at].AddRange(open.Where(pin => !served.Contains(pin)));
    }

    /// <summary>Whether a node is pinned to a range of a model.</summary>
    public bool IsPinned(int at, NodeRoom room) => _pins[at].Any(pin => pin.Room == room);
}
