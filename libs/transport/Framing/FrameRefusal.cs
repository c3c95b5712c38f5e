namespace Parallax.Transport.Framing;

/// <summary>Why a frame, a run or a message was refused. Refusals are values: hostile input throws nothing.</summary>
public enum FrameRefusal
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>Fewer bytes than a header.</summary>
    TooShort,

    /// <summary>More bytes than <see cref="FrameLimits.MaxFrameBytes"/>.</summary>
    TooLong,

    /// <summary>The first four bytes are not a frame's.</summary>
    BadMagic,

    /// <summary>A major version that this build does not speak.</summary>
    UnsupportedVersion,

    /// <summary>The frame's header is shorter than its version's, longer than the frame, or not a multiple of four.</summary>
    BadHeaderLength,

    /// <summary>Header and body do not add up to the frame.</summary>
    LengthMismatch,

    /// <summary>The CRC-32C differs.</summary>
    ChecksumMismatch,

    /// <summary>A frame type that this build does not know, or one that has no place on this connection.</summary>
    UnexpectedType,

    /// <summary>A frame number that is not above the last one's on this connection.</summary>
    Replayed,

    /// <summary>A frame number that leaves out others: frames of this connection were lost.</summary>
    NumberSkipped,

    /// <summary>The body is too short for its own counts, or a count is above its limit.</summary>
    BadBody,

    /// <summary>A run's or message's length leaves its frame; what follows it cannot be found.</summary>
    BadLength,

    /// <summary>The head of a run or message is shorter than version 1.0's, longer than the whole, or not a multiple of four.</summary>
    BadHeadLength,

    /// <summary>A row kind or message kind that this build does not know.</summary>
    UnknownKind,

    /// <summary>No rows, or more than <see cref="FrameLimits.MaxRows"/>, or more than the run holds.</summary>
    BadCount,

    /// <summary>Negative, or beyond <see cref="FrameLimits.MaxPosition"/>.</summary>
    BadPosition,

    /// <summary>Unknown element type, or a width that does not fit it, or a type that does not fit the kind.</summary>
    BadTensor,

    /// <summary>Wanted intervals that are empty, unordered or above `applied`.</summary>
    BadIntervals,

    /// <summary>A negative term, n or token id.</summary>
    BadValue,

    /// <summary>The peer id in a Hello or heartbeat is empty, too long or not UTF-8.</summary>
    BadPeerId,
}

/// <summary>What a refusal means for its connection.</summary>
public static class FrameRefusals
{
    /// <summary>Number of values, for counters indexed by reason.</summary>
    public const int Count = (int)FrameRefusal.BadPeerId + 1;

    /// <summary>
    /// Whether rows or messages are lost and nobody knows whose: the connection starts anew then, and State per session
    /// finds what is missing. A frame of an unknown type is a newer minor's and is only counted; so is a bad run or
    /// message, which is refused alone, and a replay.
    /// </summary>
    public static bool LosesFrame(this FrameRefusal refusal) => refusal is FrameRefusal.TooShort or FrameRefusal.TooLong
        or FrameRefusal.BadMagic or FrameRefusal.UnsupportedVersion or FrameRefusal.BadHeaderLength or FrameRefusal.LengthMismatch
        or FrameRefusal.ChecksumMismatch or FrameRefusal.NumberSkipped or FrameRefusal.BadBody or FrameRefusal.BadLength;
}
