using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.Runtime.Blocks;

/// <summary>A part of a chain that a shard lacks.</summary>
/// <param name="Tenant">The tenant salt that the chain starts from.</param>
/// <param name="Hashes">The blocks' hashes, one after another.</param>
/// <param name="FirstIndex">Place of the first in the chain.</param>
/// <param name="Layers">The layers whose keys and values are needed; a block without all of them is of no use.</param>
/// <param name="WantOutputs">Whether the outputs of the last of these layers are of use, too; a block without them is still whole.</param>
/// <param name="TimeLeft">When what has come by then has to do.</param>
public sealed record BlockQuery(
    string Tenant, ImmutableArray<UInt128> Hashes, int FirstIndex, LayerRange Layers, bool WantOutputs, TimeSpan TimeLeft);
