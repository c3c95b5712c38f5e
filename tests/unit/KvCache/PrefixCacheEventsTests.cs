using CsCheck;
using Parallax.Runtime.KvCache;
using Parallax.Testing;
using static Parallax.UnitTests.KvCache.CacheFixture;

namespace Parallax.UnitTests.KvCache;

public sealed class PrefixCacheEventsTests
{
    [Fact]
    public void Events_NameTheBlocksOfAPromptAsOthersHashThem()
    {
        var (cache, held) = Watched([null], [20]);
        var ids = Ids(70);
        var sequence = cache.Computed(ids, "salt");
        Assert.Equal(BlockChain.Of(Class, "salt", ids, 100), held.Order(ByChain(ids, "salt")));
        Assert.Equal(4, held.Count); // the block of the last 6 is not full
        cache.Close(sequence);
        Assert.Equal(4, held.Count);
        Assert.NotEqual(BlockChain.Of(Class, "salt", ids, 1), BlockChain.Of(Class, "", ids, 1));
        Assert.Equal(2, BlockChain.Of(Class, "", ids, 2).Length);
        Assert.Empty(BlockChain.Of(Class, "", Ids(15), 8));
    }

    [Fact]
    public void Events_FollowEvictionAndForgetting()
    {
        var (cache, held) = Watched([null], [6]);
        cache.Close(cache.Computed(Ids(64)));
        Assert.Equal(4, held.Count);
        var other = cache.Computed(Ids(64, start: 1000));
        Assert.Equal(6, held.Count);
        Assert.Equal(2, held.Intersect(BlockChain.Of(Class, "", Ids(64), 4)).Count());
        Assert.Superset(BlockChain.Of(Class, "", Ids(32), 2).ToHashSet(), held); // parents outlive their children
        cache.Close(other, forget: true);
        Assert.Equal(BlockChain.Of(Class, "", Ids(32), 2).ToHashSet(), held);
    }

    [Fact]
    public void RandomUse_EventsAreTheBlocksThatAreThereInAllGroups()
    {
        int?[][] layouts = [[null], [20], [null, 20], [8, 40]];
        Gen.Select(Gen.Int[0, layouts.Length - 1], Gen.Select(Gen.Int[0, 5], Gen.Int[1, 90]).Array[0, 40]).Sample(
            (layout, uses) =>
            {
                var (cache, held) = Watched(layouts[layout], [.. layouts[layout].Select(static _ => 9)]);
                foreach (var (start, length) in uses)
                {
                    var ids = Ids(length, start: start * 7);
                    var sequence = cache.Open("", length);
                    cache.Match(sequence, ids, length - 1);
                    if (cache.TryReserve(sequence, length))
                    {
                        cache.Commit(sequence, ids, length);
                    }

                    cache.Close(sequence);
                    var there = 0;
                    foreach (var hash in held)
                    {
                        Assert.True(cache.Prefixes.IsComplete(hash));
                        there++;
                    }

                    Assert.Equal(there, cache.Prefixes.CompleteCount);
                }
            },
            iter: 300);
    }

    [Fact]
    public void WithoutListener_NothingIsAllocatedForIt()
    {
        var cache = Cache(20);
        cache.Close(cache.Computed(Ids(160)));
        var sequence = cache.Open("", 160);
        var ids = Ids(160, start: 5000);
        Assert.True(cache.TryReserve(sequence, 160));
        var length = 0;
        Assert.Equal(0, Allocations.OfWarm(() => cache.Commit(sequence, ids, length += 32)));
    }

    private static (PagedKvCache Cache, HashSet<UInt128> Held) Watched(int?[] windows, int[] blocks)
    {
        var cache = Cache(windows, blocks);
        var listener = new Listener();
        cache.Prefixes.Events = listener;
        return (cache, listener.Held);
    }

    private static Comparer<UInt128> ByChain(int[] ids, string salt)
    {
        var chain = BlockChain.Of(Class, salt, ids, 100);
        return Comparer<UInt128>.Create((a, b) => Array.IndexOf(chain, a).CompareTo(Array.IndexOf(chain, b)));
    }

    private sealed class Listener : IPrefixCacheEvents
    {
        public HashSet<UInt128> Held { get; } = [];

        public void OnCached(UInt128 hash) => Assert.True(Held.Add(hash), "it was cached already");

        public void OnEvicted(UInt128 hash) => Assert.True(Held.Remove(hash), "it was not cached");
    }
}
