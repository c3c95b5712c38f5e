using System.Runtime.InteropServices;

namespace Parallax.KvBlocks.Index;

/// <summary>
/// Who gives room up: the tenant that is most over its share, which is the same for all tenants that are active, and nothing for
/// those that have not been seen for a while. Ties go by id. Pure.
/// </summary>
internal static class FairShare
{
    /// <summary>The two that are most over their share, in this order; null where there is none.</summary>
    /// <param name="tenants">Those that may give something up.</param>
    /// <param name="tier">Of what.</param>
    /// <param name="share">Of each active tenant.</param>
    /// <param name="activeSince">Tenants that were seen at this time or later are active.</param>
    public static (Tenant? First, Tenant? Second) MostOver(List<Tenant> tenants, Tier tier, long share, TimeSpan activeSince)
    {
        Tenant? first = null, second = null;
        foreach (var tenant in CollectionsMarshal.AsSpan(tenants))
        {
            if (tenant[tier].Oldest == PartSlot.None)
            {
                continue;
            }

            if (first is null || IsBefore(tenant, first, tier, share, activeSince))
            {
                (first, second) = (tenant, first);
            }
            else if (second is null || IsBefore(tenant, second, tier, share, activeSince))
            {
                second = tenant;
            }
        }

        return (first, second);
    }

    /// <summary>The share of each active tenant.</summary>
    public static long Share(List<Tenant> tenants, long budget, TimeSpan activeSince)
    {
        var active = 0;
        foreach (var tenant in CollectionsMarshal.AsSpan(tenants))
        {
            active += tenant.LastUse >= activeSince ? 1 : 0;
        }

        return budget / Math.Max(1, active);
    }

    /// <summary>Whether one tenant gives up before another.</summary>
    public static bool IsBefore(Tenant one, Tenant other, Tier tier, long share, TimeSpan activeSince)
    {
        var (mine, its) = (Over(one, tier, share, activeSince), Over(other, tier, share, activeSince));
        return mine > its || (mine == its && one.Id < other.Id);
    }

    private static long Over(Tenant tenant, Tier tier, long share, TimeSpan activeSince) => tenant[tier].Bytes - (tenant.LastUse >= activeSince ? share : 0);
}
