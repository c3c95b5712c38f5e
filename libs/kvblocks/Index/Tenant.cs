namespace Parallax.KvBlocks.Index;

/// <summary>A tenant that has parts or reservations.</summary>
internal sealed class Tenant(TenantId id)
{
    private TierUse _memory = new();
    private TierUse _disk = new();

    public TenantId Id => id;

    /// <summary>Slots that are its.</summary>
    public int Parts { get; set; }

    /// <summary>When it last put or read something.</summary>
    public TimeSpan LastUse { get; set; }

    public ref TierUse this[Tier tier] => ref tier == Tier.Memory ? ref _memory : ref _disk;
}
