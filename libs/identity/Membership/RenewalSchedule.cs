namespace Parallax.Identity.Membership;

/// <summary>When a certificate is renewed. Pure.</summary>
internal static class RenewalSchedule
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long to wait: to the half of the certificate's life, scattered by a tenth of it, so that members that joined
    /// together do not renew together; after failures, a pause that doubles.
    /// </summary>
    /// <param name="member">The present certificate.</param>
    /// <param name="failures">Attempts that failed since the last success.</param>
    /// <param name="now">The time.</param>
    /// <param name="scatter">From 0 to 1, random.</param>
    public static TimeSpan Wait(MemberIdentity member, int failures, DateTimeOffset now, double scatter)
    {
        if (failures > 0)
        {
            var pause = FirstPause * (1 << Math.Min(failures - 1, 10));
            return (pause < LongestPause ? pause : LongestPause) * (0.75 + (0.5 * scatter));
        }

        var life = member.NotAfter - member.NotBefore;
        var due = member.NotBefore + (life * (0.45 + (0.1 * scatter)));
        return due > now ? due - now : TimeSpan.Zero;
    }
}
