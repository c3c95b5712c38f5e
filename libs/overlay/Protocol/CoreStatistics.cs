namespace Parallax.Overlay.Protocol;

/// <summary>Counts of what was refused. Written by the core's owner, read by anybody.</summary>
internal sealed class CoreStatistics
{
    private readonly long[] _refused = new long[Enum.GetValues<OverlayRefusal>().Length];

    /// <summary>How often something was refused for a reason.</summary>
    public long Refused(OverlayRefusal reason) => Interlocked.Read(ref _refused[(int)reason]);

    public void Refuse(OverlayRefusal reason)
    {
        if (reason != OverlayRefusal.None)
        {
            Interlocked.Increment(ref _refused[(int)reason]);
        }
    }
}
