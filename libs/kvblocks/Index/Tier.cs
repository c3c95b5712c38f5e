namespace Parallax.KvBlocks.Index;

/// <summary>Where bytes are.</summary>
internal enum Tier
{
    Memory,
    Disk,
}
