using System.Collections.Immutable;
using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;

namespace Parallax.UnitTests.KvCache;

/// <summary>Short ways to build caches and sequences.</summary>
internal static class CacheFixture
{
    public static readonly NumericClass Class = new(1, "ab12", ResidualPrecision.BF16, "cpu");

    public static PagedKvCache Cache(int?[] windows, int[] blocks, BlockHasher? hasher = null) =>
        new([.. windows.Select((window, i) => new KvGroup(window, [i], 64))], ImmutableArray.Create(blocks), Class, hasher);

    public static PagedKvCache Cache(int blocks) => Cache([null], [blocks]);

    /// <summary>Token ids start, start + 1, …</summary>
    public static int[] Ids(int count, int start = 0) => [.. Enumerable.Range(start, count)];

    /// <summary>Reserves and commits up to <paramref name="length"/>.</summary>
    public static void Grow(this PagedKvCache cache, KvSequence sequence, int[] ids, int length)
    {
        Assert.True(cache.TryReserve(sequence, length), $"no blocks for {length} positions");
        cache.Commit(sequence, ids, length);
    }

    /// <summary>A sequence that has computed <paramref name="ids"/>.</summary>
    public static KvSequence Computed(this PagedKvCache cache, int[] ids, string salt = "")
    {
        var sequence = cache.Open(salt, ids.Length);
        cache.Grow(sequence, ids, ids.Length);
        return sequence;
    }

    public static void Check(this PagedKvCache cache)
    {
        cache.Prefixes.CheckInvariants();
        for (var g = 0; g < cache.GroupCount; g++)
        {
            cache.Pool(g).CheckInvariants();
        }
    }
}
