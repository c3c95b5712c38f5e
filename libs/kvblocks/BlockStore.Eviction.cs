using Parallax.KvBlocks.Index;

namespace Parallax.KvBlocks;

public sealed partial class BlockStore
{
    /// <summary>
    /// Frees bytes of a tier: again and again the tenant that is most over its share gives up the part that it has used longest ago
    /// and that no lease keeps.
    /// </summary>
    /// <returns>Whether so much could be freed.</returns>
    private bool Evict(Tier tier, long bytes)
    {
        if (bytes <= 0)
        {
            return true;
        }

        var budget = tier == Tier.Memory ? _options.MemoryBytes : _options.DiskBytes;
        var activeSince = Now - _options.TenantIdleAfter;
        var candidates = _tenants.All;
        while (bytes > 0)
        {
            var share = FairShare.Share(_tenants.All, budget, activeSince);
            var (first, second) = FairShare.MostOver(candidates, tier, share, activeSince);
            if (first is null)
            {
                return false;
            }

            var isExhausted = true;
            for (var slot = first[tier].Oldest; slot != PartSlot.None && bytes > 0;)
            {
                var victim = slot;
                slot = RecencyLists.NewerThan(_index, slot, tier);
                if (_index[victim].Pins > 0)
                {
                    continue;
                }

                bytes -= EvictPart(first, victim, tier);
                isExhausted = first[tier].Oldest == PartSlot.None;
                if (second is not null && !FairShare.IsBefore(first, second, tier, share, activeSince))
                {
                    isExhausted = false;
                    break;
                }
            }

            if (isExhausted && bytes > 0)
            {
                // Leases keep all that it has: the others follow.
                candidates = [.. candidates.Where(tenant => tenant != first)];
            }
        }

        return true;
    }

    /// <summary>Takes a part out of a tier, and out of the index when it is in no other; the bytes that are free now.</summary>
    private long EvictPart(Tenant tenant, int slot, Tier tier)
    {
        if (tier == Tier.Disk)
        {
            _counts.DiskEvictions++;
            return DropFromDisk(tenant, slot);
        }

        ref var part = ref _index[slot];
        var cost = MemoryCost(part.Length);
        RecencyLists.Remove(_index, tenant, slot, Tier.Memory);
        var buffer = part.Buffer!;
        part.Buffer = null;
        _memoryBytes -= cost;
        tenant[Tier.Memory].Bytes -= cost;
        var isLost = part.Segment == PartSlot.None;
        _counts.MemoryEvictions++;
        if (isLost)
        {
            _counts.Lost++;
            _stored--;
            RemoveSlot(slot);
        }

        buffer.Dispose();
        return cost;
    }
}
