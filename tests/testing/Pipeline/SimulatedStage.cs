namespace Parallax.Testing.Pipeline;

/// <summary>A stage: what has arrived, what it computes, how long it has been busy.</summary>
internal sealed class SimulatedStage(StepCost cost)
{
    private readonly Queue<SimulatedRows> _decodes = new();
    private readonly LinkedList<SimulatedRows> _prefills = new();

    /// <summary>Rows of the running step, decodes first; empty when it idles.</summary>
    public List<SimulatedRows> Running { get; } = [];

    /// <summary>What is left of the running step, in milliseconds at full speed.</summary>
    public double Left { get; private set; }

    public double Busy { get; set; }

    public bool IsBusy => Running.Count > 0;

    public bool HasWork => _decodes.Count > 0 || _prefills.Count > 0;

    public void Enqueue(in SimulatedRows rows)
    {
        if (rows.IsDecode)
        {
            _decodes.Enqueue(rows);
        }
        else
        {
            _prefills.AddLast(rows);
        }
    }

    /// <summary>
    /// Begins a step as the scheduler would plan it: all decode rows that are here, then prompts, in order, up to the
    /// budget, or up to the cap while anybody decodes. A prompt's rows may be cut.
    /// </summary>
    public void Begin(PipelineSetup setup, bool anyoneDecodes, double factor)
    {
        while (_decodes.TryDequeue(out var rows))
        {
            Running.Add(rows);
        }

        var room = setup.TokenBudget - Running.Count;
        room = anyoneDecodes ? Math.Min(room, setup.MixedPrefillTokens) : room;
        while (room > 0 && _prefills.First is { Value: var rows })
        {
            _prefills.RemoveFirst();
            var count = Math.Min(room, rows.Count);
            if (count < rows.Count)
            {
                _prefills.AddFirst(rows with { Count = rows.Count - count });
            }

            Running.Add(rows with { Count = count, Sample = rows.Sample && count == rows.Count });
            room -= count;
        }

        Left = cost.Ms(Running.Sum(static rows => rows.Count)) * factor;
    }

    /// <summary>Time passes; true when the running step is done.</summary>
    public bool Advance(double ms, double speed)
    {
        if (!IsBusy)
        {
            return false;
        }

        Busy += ms;
        Left -= ms * speed;
        return Left <= 1e-9;
    }
}
