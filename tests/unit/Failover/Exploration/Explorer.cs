using System.Text;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>What an exploration found.</summary>
/// <param name="States">Different states that were reached.</param>
/// <param name="Expanded">Those of them whose successors are all known.</param>
/// <param name="Transitions">Steps that were taken.</param>
/// <param name="Goals">States in which every client has its answer and nothing is held.</param>
/// <param name="Cut">States in which the bound on n kept the session from going on; they count as good.</param>
/// <param name="Violation">A violation or a stuck session, with the steps that lead to it; null when there is none.</param>
internal sealed record ExplorationResult(int States, int Expanded, long Transitions, int Goals, int Cut, string? Violation)
{
    /// <summary>Whether every reachable state was looked at.</summary>
    public bool IsComplete => Expanded == States;

    public override string ToString() =>
        $"{States} states{(IsComplete ? "" : $" ({Expanded} expanded)")}, {Transitions} steps, {Goals} goals, {Cut} cut: {Violation ?? "nothing found"}";
}

/// <summary>
/// Looks at all states that can be reached, breadth first: for what must never happen, and for states from which no way
/// leads to the goal on which nothing more goes wrong (a session is stuck, or something leaks).
/// </summary>
/// <remarks>
/// States are told apart by fingerprints of 128 bits. Those of the frontier are held whole, of the others the fingerprint, the
/// step that led there and the successors without faults. States that were reached and not expanded, since there are too many, count as
/// good: then what is found is true, and what is not may still be there.
/// </remarks>
internal sealed class Explorer(ModelSettings settings)
{
    private const int FirstLook = 4000;
    private const string Stuck = "no way leads to the goal from here, though nothing more goes wrong";

    private readonly Dictionary<UInt128, int> _ids = [];
    private readonly List<int> _parents = [];
    private readonly List<int> _steps = [];
    private readonly List<int> _edges = []; // to states, of those that are expanded one after the other, without faults
    private readonly List<int> _firstEdges = [];
    private readonly List<bool> _isGood = [];
    private readonly List<long> _scratch = [];

    public ExplorationResult Explore(int maxStates)
    {
        var frontier = new Queue<World>();
        var first = new World(settings);
        Add(first, -1, default);
        frontier.Enqueue(first);
        var steps = new List<Step>();
        var transitions = 0L;
        var (goals, cut) = (0, 0);
        var nextLook = FirstLook;
        for (var id = 0; frontier.TryDequeue(out var world); id++)
        {
            if (_parents.Count >= maxStates)
            {
                break;
            }

            if (_parents.Count >= nextLook)
            {
                nextLook *= 2; // what is stuck is often found long before everything is known
                if (FindStuck(id) is var early and >= 0)
                {
                    return new ExplorationResult(_parents.Count, id, transitions, goals, cut, Describe(early, Stuck));
                }
            }

            world.List(steps);
            var isGoal = world.IsGoal;
            goals += isGoal ? 1 : 0;
            cut += world.IsCut ? 1 : 0;
            _isGood[id] = isGoal || world.IsCut;
            _firstEdges.Add(_edges.Count);
            foreach (var step in steps)
            {
                transitions++;
                var next = world.After(step);
                if (next.Violation is { } violation)
                {
                    return new ExplorationResult(_parents.Count, id, transitions, goals, cut, Describe(id, violation, step));
                }

                if (!_ids.TryGetValue(next.Print(_scratch), out var to))
                {
                    to = Add(next, id, step);
                    frontier.Enqueue(next);
                }

                if (!step.IsFault)
                {
                    _edges.Add(to);
                }
            }
        }

        var expanded = _firstEdges.Count;
        var stuck = FindStuck(expanded);
        return new ExplorationResult(
            _parents.Count, expanded, transitions, goals, cut,
            stuck < 0 ? null : Describe(stuck, Stuck));
    }

    private int Add(World world, int parent, Step step)
    {
        _ids.Add(world.Print(_scratch), _parents.Count);
        _parents.Add(parent);
        _steps.Add(step.Pack());
        _isGood.Add(false);
        return _parents.Count - 1;
    }

    /// <summary>The first state from which no goal, bound or unexpanded state can be reached; -1 when there is none.</summary>
    private int FindStuck(int expanded)
    {
        var count = _parents.Count;
        var starts = new int[count + 1];
        foreach (var to in _edges)
        {
            starts[to + 1]++;
        }

        for (var i = 0; i < count; i++)
        {
            starts[i + 1] += starts[i];
        }

        var from = new int[_edges.Count];
        var next = (int[])starts.Clone();
        for (var id = 0; id < expanded; id++)
        {
            var end = id + 1 < expanded ? _firstEdges[id + 1] : _edges.Count;
            for (var edge = _firstEdges[id]; edge < end; edge++)
            {
                from[next[_edges[edge]]++] = id;
            }
        }

        var work = new Stack<int>();
        var isGood = _isGood.ToArray();
        for (var id = 0; id < count; id++)
        {
            if (isGood[id] || id >= expanded)
            {
                isGood[id] = true;
                work.Push(id);
            }
        }

        while (work.TryPop(out var id))
        {
            for (var i = starts[id]; i < starts[id + 1]; i++)
            {
                if (!isGood[from[i]])
                {
                    isGood[from[i]] = true;
                    work.Push(from[i]);
                }
            }
        }

        return Array.IndexOf(isGood, false);
    }

    private string Describe(int id, string what, Step? last = null)
    {
        var path = new Stack<Step>();
        if (last is { } step)
        {
            path.Push(step);
        }

        for (var at = id; at > 0; at = _parents[at])
        {
            path.Push(Step.Unpack(_steps[at]));
        }

        return Trace.Describe(settings, path, what);
    }
}

/// <summary>A run as a list of steps, for people.</summary>
internal static class Trace
{
    public static string Describe(ModelSettings settings, IEnumerable<Step> steps, string what)
    {
        var text = new StringBuilder(what).AppendLine(":");
        var world = new World(settings);
        var number = 0;
        foreach (var step in steps)
        {
            var log = new List<string>();
            world = world.After(step, log);
            text.Append(' ', 2).Append(++number).Append(". ").AppendJoin("; ", log).AppendLine();
        }

        return text.Append("  In the end: ").Append(world.Describe()).ToString();
    }
}
