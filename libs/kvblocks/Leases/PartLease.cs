using System.Collections.Immutable;

namespace Parallax.KvBlocks.Leases;

/// <summary>Parts that stay where they are until the lease is given back or its time is over.</summary>
/// <param name="Id">Names it; 0 when no part is kept.</param>
/// <param name="Held">For each address that was asked for whether the part is there, in their order.</param>
public sealed record PartLease(long Id, ImmutableArray<bool> Held);
