namespace Parallax.Router.Routing;

/// <summary>
/// Costs are added up as whole picoseconds, so that a sum depends on no order and equal paths are equal to the bit.
/// </summary>
internal static class CostUnit
{
    /// <summary>No way. Three of these still add up without overflow.</summary>
    public const long Infinite = long.MaxValue / 4;

    /// <summary>What a stage costs where no speeds are known: more than the loads of any path together.</summary>
    public const long Stage = 1L << 46;

    /// <summary>
    /// A load of 1. It is a multiple of all small numbers and of powers of two: with the usual rooms, equal loads are
    /// equal sums.
    /// </summary>
    public const long Load = 720720L << 16;

    private const double PerMillisecond = 1e9;

    /// <summary>The longest time that counts; longer ones, and what is no number, count as this: 1000 s.</summary>
    private const double LongestMs = 1e6;

    /// <summary>From milliseconds.</summary>
    public static long FromMs(double milliseconds) =>
        (long)(Math.Clamp(double.IsNaN(milliseconds) ? LongestMs : milliseconds, 0, LongestMs) * PerMillisecond);

    /// <summary>To milliseconds.</summary>
    public static double ToMs(long cost) => cost / PerMillisecond;
}
