namespace Parallax.Transport.Framing;

/// <summary>Flags of one row. Bits that a reader does not know mean nothing to it.</summary>
[Flags]
public enum RowFlags
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The tail samples from this row: position >= N-1 of the current Resume, also when a row is sent again.</summary>
    Sample = 1,
}
