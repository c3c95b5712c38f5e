namespace Parallax.Transport.Flow;

/// <summary>
/// The rules of a hop, each of which can be switched off so that a test can show what it is for. Everything that is not
/// a test runs with <see cref="All"/>.
/// </summary>
[Flags]
internal enum HopRules
{
    None = 0,

    /// <summary>The receiver sends State when it resumes (rule 4; findings F2, F4).</summary>
    StateOnResume = 1 << 0,

    /// <summary>A running receiver sends State on every connect (rule 4; F3).</summary>
    StateOnConnect = 1 << 1,

    /// <summary>A fenced stage drops rows of its own epoch (rule 4; F2).</summary>
    DropWhileFenced = 1 << 2,

    /// <summary>A sender sends nothing until it has a State of its epoch on this connection (rule 4; F4).</summary>
    WaitForState = 1 << 3,

    /// <summary>A State that comes while fenced is kept until Resume (rule 4; F3, F6).</summary>
    KeepStateWhileFenced = 1 << 4,

    /// <summary>Rebuild rows lie below `applied` and are recomputed, not skipped (rule 4; F5).</summary>
    RebuildBelowApplied = 1 << 5,

    /// <summary>Positions that the next hop needs and the journal lacks are wanted upstream (rule 7; F6).</summary>
    WantMissing = 1 << 6,

    /// <summary>A row that is sent again carries the sample flag again (rule 3; F7).</summary>
    SampleAgain = 1 << 7,

    /// <summary>A Stale that does not name the present epoch is ignored (rule 4; F8).</summary>
    StaleNamesEpoch = 1 << 8,

    /// <summary>Unknown is answered once, and the sender stops (rule 4; F9).</summary>
    UnknownOnce = 1 << 9,

    /// <summary>An acknowledgement only moves the cursor forward (rule 4; F9).</summary>
    AckForwardOnly = 1 << 10,

    /// <summary>A row above `applied` is dropped, never computed over the gap (rule 4).</summary>
    GapCheck = 1 << 11,

    /// <summary>State is sent once until row `applied` arrives (rule 4).</summary>
    StateOnce = 1 << 12,

    /// <summary>Frames of an earlier connection are discarded (rule 4).</summary>
    GenerationCheck = 1 << 13,

    /// <summary>Rows under another epoch are not computed (rule 4).</summary>
    EpochCheck = 1 << 14,

    /// <summary>A receiver whose blocks were taken says State(0) (rule 11).</summary>
    StateOnEvict = 1 << 15,

    /// <summary>Rows that address another incarnation are answered with Unknown (rule 4).</summary>
    IncarnationCheck = 1 << 16,

    All = (1 << 17) - 1,
}
