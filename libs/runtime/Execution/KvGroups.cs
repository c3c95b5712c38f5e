using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Execution;

/// <summary>Groups a shard's layers by attention window: each group shares a block table.</summary>
public static class KvGroups
{
    /// <summary>Groups in order of their first layer.</summary>
    public static ImmutableArray<KvGroup> Of(ModelSpec spec, LayerRange range, IComputeBackend backend, ResidualPrecision precision)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(backend);
        return
        [
            .. Enumerable.Range(range.Start, range.Count)
                .GroupBy(layer => spec.Layers[layer].Attention.Window)
                .Select(group => new KvGroup(
                    group.Key,
                    [.. group],
                    group.Sum(layer => backend.KvBlockBytes(spec.Layers[layer].Attention, precision)))),
        ];
    }
}
