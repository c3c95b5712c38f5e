namespace Parallax.Transport.Framing;

/// <summary>Bounds that every frame keeps; a reader checks each before it believes a count.</summary>
public static class FrameLimits
{
    /// <summary>Bytes of a whole frame, header included: 256 KiB (session protocol, rule 12).</summary>
    public const int MaxFrameBytes = 256 * 1024;

    /// <summary>Runs in one frame.</summary>
    public const int MaxRuns = 2048;

    /// <summary>Rows in one run.</summary>
    public const int MaxRows = 16 * 1024;

    /// <summary>Elements in one row.</summary>
    public const int MaxWidth = 60 * 1024;

    /// <summary>Positions (and token indices) lie below this.</summary>
    public const int MaxPosition = 1 << 28;

    /// <summary>Flow messages in one frame.</summary>
    public const int MaxFlowMessages = 2048;

    /// <summary>Wanted intervals in one State.</summary>
    public const int MaxWantIntervals = 128;

    /// <summary>UTF-8 bytes of a peer's id.</summary>
    public const int MaxPeerIdBytes = 128;
}
