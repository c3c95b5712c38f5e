namespace Parallax.Runtime.Batching;

/// <summary>Rows of one session in a step.</summary>
/// <param name="Session">Its index in the views.</param>
/// <param name="Count">Positions to compute.</param>
internal readonly record struct PlannedSlice(int Session, int Count);

/// <summary>
/// What the scheduler decided. When <see cref="Victim"/> is set, that session gives its blocks back first and the rest
/// is planned anew. Reused from step to step.
/// </summary>
internal sealed class StepPlan
{
    /// <summary>No session.</summary>
    public const int None = -1;

    /// <summary>Who computes how many positions: decoding sessions first, each session at most once.</summary>
    public List<PlannedSlice> Slices { get; } = [];

    /// <summary>Waiting sessions to admit.</summary>
    public List<int> Admitted { get; } = [];

    /// <summary>The session that must give back its blocks; -1 for none.</summary>
    public int Victim { get; internal set; }

    /// <summary>The session next in turn that did not fit while others were admitted; -1 for none.</summary>
    public int Bypassed { get; internal set; }

    /// <summary>Sessions admitted past <see cref="Bypassed"/>.</summary>
    public int AdmittedPast { get; internal set; }

    /// <summary>The session that cannot go on though nobody else holds a block; -1 for none (it is checked when opened).</summary>
    public int Stuck { get; internal set; }

    /// <summary>Rows of decoding sessions.</summary>
    public int DecodeRows { get; internal set; }

    /// <summary>All other rows.</summary>
    public int PrefillRows { get; internal set; }

    /// <summary>Empties the plan, keeping its buffers.</summary>
    internal void Clear()
    {
        Slices.Clear();
        Admitted.Clear();
        Victim = None;
        Bypassed = None;
        AdmittedPast = 0;
        Stuck = None;
        DecodeRows = 0;
        PrefillRows = 0;
    }
}
