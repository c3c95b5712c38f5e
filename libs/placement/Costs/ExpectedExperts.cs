namespace Parallax.Placement.Costs;

/// <summary>How many experts of a layer a batch touches.</summary>
internal static class ExpectedExperts
{
    /// <summary>
    /// The expected number of distinct experts when each of <paramref name="tokens"/> tokens takes
    /// <see cref="ExpertShape.PerToken"/> of them, independently: E (1 - (1 - K/E)^n).
    /// </summary>
    public static double Of(ExpertShape experts, int tokens)
    {
        var count = Math.Max(0, experts.Count);
        if (count == 0 || tokens <= 0)
        {
            return 0;
        }

        var missed = 1 - ((double)Math.Clamp(experts.PerToken, 0, count) / count);
        var power = 1.0;
        for (var n = tokens; n > 0; n >>= 1)
        {
            if ((n & 1) != 0)
            {
                power *= missed;
            }

            missed *= missed;
        }

        return count * (1 - power);
    }
}
