namespace Parallax.Cli.Chaos.Report;

/// <summary>Percentiles of measured values, by nearest rank. Pure.</summary>
internal static class Percentiles
{
    /// <summary>The least value that is not below a share of all of them.</summary>
    /// <param name="values">At least one.</param>
    /// <param name="share">From 0 to 1; 0.5 is the median.</param>
    public static double Of(IReadOnlyCollection<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
