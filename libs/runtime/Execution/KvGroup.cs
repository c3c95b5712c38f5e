using System.Collections.Immutable;

namespace Parallax.Runtime.Execution;

/// <summary>
/// Layers of one shard that share a block table, because they attend over the same window. A block holds
/// <see cref="KvGroup.BlockTokens"/> positions of all layers of its group.
/// </summary>
/// <param name="Window">Attention window in tokens; null for full attention.</param>
/// <param name="Layers">The layers' absolute indices.</param>
/// <param name="BlockBytes">Bytes of one block (keys and values, all layers of the group).</param>
public sealed record KvGroup(int? Window, ImmutableArray<int> Layers, long BlockBytes)
{
    /// <summary>Positions per KV block.</summary>
    public const int BlockTokens = 16;
}
