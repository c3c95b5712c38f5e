using System.Collections.Immutable;

namespace Parallax.Audit.Verify;

/// <summary>Findings and notes, as many as fit; the others are counted. Not thread-safe.</summary>
internal sealed class FindingList(int limit)
{
    private readonly List<Finding> _findings = [];
    private readonly List<Finding> _notes = [];

    public long FindingCount { get; private set; }

    public long NoteCount { get; private set; }

    public void Add(Finding one)
    {
        var (list, count) = one.IsNote ? (_notes, ++NoteCount) : (_findings, ++FindingCount);
        if (count <= limit)
        {
            list.Add(one);
        }
    }

    /// <summary>Findings first.</summary>
    public ImmutableArray<Finding> ToArray() => [.. _findings, .. _notes];
}
