namespace Parallax.Audit.Verify;

/// <summary>One run of a writer.</summary>
internal sealed class TermState(string writer, long term, int index)
{
    public string Writer { get; } = writer;

    public long Term { get; } = term;

    public int Index { get; } = index;

    public string Stream { get; } = Chain.AuditStreams.Writer(writer, term);

    /// <summary>Whether its stream has any event.</summary>
    public bool IsPresent { get; set; }

    /// <summary>The key of its signatures, once its first event gave it; empty where that cannot be believed.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; set; }

    /// <summary>Whether it knew how the term before had ended.</summary>
    public bool KnowsPrevious { get; set; } = true;

    /// <summary>The number of the last checkpoint.</summary>
    public long Checkpoints { get; set; }

    /// <summary>Whether the last checkpoint ended the term.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Whether it cannot vouch for anything because something is wrong with it: said once.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>Segments that say that they are of it.</summary>
    public long Segments { get; set; }
}
