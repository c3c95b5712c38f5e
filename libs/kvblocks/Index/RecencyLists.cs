namespace Parallax.KvBlocks.Index;

/// <summary>
/// Each tenant's parts in order of use, for each tier a list. A part that comes new stands just before the parts of the block that it
/// follows, and a chain that is used is touched from its end to its beginning: so the end of a chain is always given up
/// before its beginning, without which it would be of no use. Not thread-safe.
/// </summary>
internal static class RecencyLists
{
    /// <summary>Puts a part in, as the newest, or just before the block that it follows.</summary>
    public static void Add(PartIndex index, Tenant tenant, int slot, Tier tier)
    {
        ref var use = ref tenant[tier];
        var before = OldestOfBlock(index, slot, tier);
        ref var part = ref index[slot];
        if (before == PartSlot.None)
        {
            Older(ref part, tier) = use.Newest;
            Newer(ref part, tier) = PartSlot.None;
            SetNewerOf(index, ref use, use.Newest, slot, tier);
            use.Newest = slot;
            return;
        }

        var older = Older(ref index[before], tier);
        Older(ref part, tier) = older;
        Newer(ref part, tier) = before;
        Older(ref index[before], tier) = slot;
        SetNewerOf(index, ref use, older, slot, tier);
    }

    /// <summary>Takes a part out.</summary>
    public static void Remove(PartIndex index, Tenant tenant, int slot, Tier tier)
    {
        ref var use = ref tenant[tier];
        ref var part = ref index[slot];
        var (older, newer) = (Older(ref part, tier), Newer(ref part, tier));
        SetNewerOf(index, ref use, older, newer, tier);
        if (newer == PartSlot.None)
        {
            use.Newest = older;
        }
        else
        {
            Older(ref index[newer], tier) = older;
        }

        Older(ref part, tier) = PartSlot.None;
        Newer(ref part, tier) = PartSlot.None;
    }

    /// <summary>A part has been used: it is the newest now.</summary>
    public static void Touch(PartIndex index, Tenant tenant, int slot, Tier tier)
    {
        ref var use = ref tenant[tier];
        if (use.Newest == slot)
        {
            return;
        }

        Remove(index, tenant, slot, tier);
        ref var part = ref index[slot];
        Older(ref part, tier) = use.Newest;
        SetNewerOf(index, ref use, use.Newest, slot, tier);
        use.Newest = slot;
    }

    /// <summary>The part that was used after this one.</summary>
    public static int NewerThan(PartIndex index, int slot, Tier tier) => Newer(ref index[slot], tier);

    /// <summary>Whether a part stands in a tier's list.</summary>
    public static bool IsIn(in PartSlot part, Tier tier) =>
        part.State == SlotState.Stored && (tier == Tier.Memory ? part.Buffer is not null : part.Segment != PartSlot.None);

    /// <summary>The oldest part in the list of the block that a part follows, as far as its parts stand together.</summary>
    private static int OldestOfBlock(PartIndex index, int slot, Tier tier)
    {
        ref var part = ref index[slot];
        var previous = part.Previous;
        if (previous == UInt128.Zero || previous == part.Hash)
        {
            return PartSlot.None;
        }

        var found = index.FindBlock(previous, part.Tenant);
        while (found != PartSlot.None && !IsIn(index[found], tier))
        {
            found = index[found].NextOfBlock;
        }

        if (found == PartSlot.None)
        {
            return PartSlot.None;
        }

        for (var older = Older(ref index[found], tier); older != PartSlot.None && index[older].Hash == previous; older = Older(ref index[older], tier))
        {
            found = older;
        }

        return found;
    }

    private static void SetNewerOf(PartIndex index, ref TierUse use, int slot, int newer, Tier tier)
    {
        if (slot == PartSlot.None)
        {
            use.Oldest = newer;
        }
        else
        {
            Newer(ref index[slot], tier) = newer;
        }
    }

    private static ref int Older(ref PartSlot part, Tier tier) => ref tier == Tier.Memory ? ref part.MemoryOlder : ref part.DiskOlder;

    private static ref int Newer(ref PartSlot part, Tier tier) => ref tier == Tier.Memory ? ref part.MemoryNewer : ref part.DiskNewer;
}
