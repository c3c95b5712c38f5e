namespace Parallax.Transport.Links;

/// <summary>Order of sending (session protocol, rule 12).</summary>
public enum FramePriority
{
    /// <summary>State, Ack, Stale, Unknown, and tokens.</summary>
    Control = 0,

    /// <summary>Rows of decode steps.</summary>
    Decode = 1,

    /// <summary>Rows of prefill chunks, refills and rebuilds.</summary>
    Prefill = 2,
}
