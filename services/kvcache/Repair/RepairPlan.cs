using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.KvClient.Instances;

namespace Parallax.KvCache.Repair;

/// <summary>Who may lack a block. Pure.</summary>
internal static class RepairPlan
{
    /// <summary>The instances that a block is to be offered to by one that has it.</summary>
    /// <param name="hash">The block's.</param>
    /// <param name="self">Who has it.</param>
    /// <param name="before">The instances there were when blocks were last offered; empty: it is not known who got what.</param>
    /// <param name="now">The instances there are.</param>
    /// <param name="copies">Copies of a block.</param>
    public static ImmutableArray<KvInstance> Receivers(UInt128 hash, PeerId self, ImmutableArray<KvInstance> before, ImmutableArray<KvInstance> now, int copies)
    {
        var had = Rendezvous.Holders(hash, before, copies).Select(static instance => instance.Id).ToHashSet();
        return [.. Rendezvous.Holders(hash, now, copies).Where(instance => instance.Id != self && !had.Contains(instance.Id))];
    }
}
