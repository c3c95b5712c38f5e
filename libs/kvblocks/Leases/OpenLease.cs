namespace Parallax.KvBlocks.Leases;

/// <summary>A lease that runs, and the slots it keeps, with the use of each.</summary>
internal sealed record OpenLease(long Id, TimeSpan ExpiresAt, List<(int Slot, uint Generation)> Slots);
