using System.Collections.Immutable;

namespace Parallax.KvClient.Instances;

/// <summary>
/// Which instances a block belongs to: rendezvous hashing (highest random weight). Every one who knows the same instances finds the
/// same ones, and one that comes or goes moves only the blocks that are its own. All parts of a block are kept together. Pure.
/// </summary>
public static class Rendezvous
{
    /// <summary>The instances in the order in which a block belongs to them; ties by id.</summary>
    /// <param name="hash">The block's.</param>
    /// <param name="instances">All there are, in any order.</param>
    public static ImmutableArray<KvInstance> Order(UInt128 hash, ImmutableArray<KvInstance> instances) => instances.Length < 2
        ? instances
        : [.. instances.OrderByDescending(instance => Weight(hash, instance.Key)).ThenBy(static instance => instance.Id)];

    /// <summary>The first of <see cref="Order"/>, as many as there are to be copies, or as there are instances.</summary>
    public static ImmutableArray<KvInstance> Holders(UInt128 hash, ImmutableArray<KvInstance> instances, int copies)
    {
        var order = Order(hash, instances);
        return order.Length <= copies ? order : order[..copies];
    }

    private static ulong Weight(UInt128 hash, ulong key) => Mix(Mix((ulong)hash ^ Mix(key)) ^ (ulong)(hash >> 64));

    /// <summary>The finaliser of SplitMix64: each bit in changes half of the bits out.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
