namespace Parallax.KvBlocks;

/// <summary>A part that a scan found.</summary>
/// <param name="Tenant">Whose.</param>
/// <param name="Address">Its address.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Previous">The hash of the block before; zero for none.</param>
public readonly record struct ScannedPart(TenantId Tenant, PartAddress Address, int Length, UInt128 Previous);
