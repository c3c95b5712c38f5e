using Parallax.Contracts.Identifiers;

namespace Parallax.KvIndex.Announcing;

/// <summary>A shard whose blocks a <see cref="BlockAnnouncer"/> announces.</summary>
public sealed class AnnouncedShard
{
    internal AnnouncedShard(string id, LayerRange range, int mostBlocks)
    {
        Id = id;
        Range = range;
        Held = new HashSet<UInt128>(mostBlocks);
    }

    /// <summary>Names the shard on its worker.</summary>
    public string Id { get; }

    /// <summary>Its layers.</summary>
    public LayerRange Range { get; }

    /// <summary>Hashes of the blocks that it has cached: within its capacity nothing is allocated.</summary>
    internal HashSet<UInt128> Held { get; }

    internal bool IsClosed { get; set; }
}
