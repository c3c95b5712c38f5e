namespace Parallax.KvBlocks.Index;

/// <summary>What a tenant has in one tier: bytes, and its parts from the one that was used longest ago to the last one.</summary>
internal struct TierUse
{
    public TierUse()
    {
    }

    public long Bytes;
    public int Oldest = PartSlot.None;
    public int Newest = PartSlot.None;
}
