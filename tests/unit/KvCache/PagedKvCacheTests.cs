using Parallax.Runtime.KvCache;

namespace Parallax.UnitTests.KvCache;

public class PagedKvCacheTests
{
    [Fact]
    public void Match_PrefixOfAnEndedSequence_SharesItsFullBlocks()
    {
        var cache = CacheFixture.Cache(8);
        var ids = CacheFixture.Ids(40);
        var first = cache.Computed(ids);
        var blocks = first.Tables[0][..2];
        cache.Close(first);
        Assert.Equal((0, 2), (cache.UsedBlocks, cache.CachedBlocks));

        var second = cache.Open("", 64);

        Assert.Equal(32, cache.Match(second, ids, 39));
        Assert.Equal(blocks, second.Tables[0][..2]);
        Assert.Equal((2, 0), (cache.UsedBlocks, cache.CachedBlocks));
        cache.Check();
    }

    [Theory]
    [InlineData(31, 16)]
    [InlineData(32, 32)]
    [InlineData(15, 0)]
    public void Match_Limit_RoundsDownToBlocks(int limit, int expected)
    {
        var cache = CacheFixture.Cache(8);
        cache.Close(cache.Computed(CacheFixture.Ids(48)));

        Assert.Equal(expected, cache.Match(cache.Open("", 64), CacheFixture.Ids(48), limit));
    }

    [Fact]
    public void Match_OtherTenantOrOtherTokens_FindsNothing()
    {
        var cache = CacheFixture.Cache(8);
        cache.Close(cache.Computed(CacheFixture.Ids(32), "a"));
        var changed = CacheFixture.Ids(32);
        changed[0] = 99;

        Assert.Equal(0, cache.Match(cache.Open("b", 32), CacheFixture.Ids(32), 32));
        Assert.Equal(0, cache.Match(cache.Open("a", 32), changed, 32));
        Assert.Equal(32, cache.Match(cache.Open("a", 32), CacheFixture.Ids(32), 32));
    }

    [Fact]
    public void Match_RunningSequence_GoesOnWhereAnotherIsAhead()
    {
        var cache = CacheFixture.Cache(8);
        var ids = CacheFixture.Ids(64);
        var ahead = cache.Open("", 64);
        var behind = cache.Open("", 64);
        Assert.Equal(0, cache.Match(behind, ids, 48));
        var waitsFor = PagedKvCache.NextBlockHash(behind);
        Assert.Equal(0, cache.Match(ahead, ids, 48));
        Assert.NotNull(waitsFor);
        Assert.Equal(waitsFor, PagedKvCache.NextBlockHash(ahead));

        cache.Grow(ahead, ids, 32);

        Assert.Equal(32, cache.Match(behind, ids, 48));
        Assert.NotEqual(waitsFor, PagedKvCache.NextBlockHash(behind));
        Assert.Equal(2, cache.UsedBlocks);
        cache.Check();
    }

    [Fact]
    public void Commit_BlockThatAnotherHasComputed_IsSharedAndTheOwnFreed()
    {
        var cache = CacheFixture.Cache(8);
        var ids = CacheFixture.Ids(16);
        var first = cache.Open("", 16);
        var second = cache.Open("", 16);
        cache.TryReserve(first, 16);
        cache.TryReserve(second, 16);

        cache.Commit(first, ids, 16);
        cache.Commit(second, ids, 16);

        Assert.Equal(first.Tables[0][0], second.Tables[0][0]);
        Assert.Equal(1, cache.UsedBlocks);
        cache.Check();
    }

    [Fact]
    public void TryReserve_CachedBlocks_AreEvictedOldestAndLeafFirst()
    {
        var cache = CacheFixture.Cache(6);
        cache.Close(cache.Computed(CacheFixture.Ids(48)));
        cache.Close(cache.Computed(CacheFixture.Ids(48, 1000)));

        cache.TryReserve(cache.Open("", 64), 64);

        // The older prefix went from its end: its parents only after it, and the younger one only lost its last block.
        Assert.Equal(0, cache.Match(cache.Open("", 48), CacheFixture.Ids(48), 48));
        Assert.Equal(32, cache.Match(cache.Open("", 48), CacheFixture.Ids(48, 1000), 48));
        cache.Check();
    }

    [Fact]
    public void TryReserve_EverythingReferenced_FailsAndChangesNothing()
    {
        var cache = CacheFixture.Cache([null, 32], [4, 8]);
        var holder = cache.Computed(CacheFixture.Ids(48));
        var sequence = cache.Open("", 64);

        Assert.False(cache.TryReserve(sequence, 32));

        Assert.Equal(0, sequence.CoveredBlocks);
        Assert.Equal(6, cache.UsedBlocks);
        Assert.Equal(3, holder.CommittedBlocks);
        cache.Check();
    }

    [Fact]
    public void Commit_Window_FreesWhatIsBehindItAndTheSlack()
    {
        var cache = CacheFixture.Cache([20], [32]);
        var ids = CacheFixture.Ids(200);
        var sequence = cache.Open("", 200);

        cache.Grow(sequence, ids, 200);

        // 200 - 20 - 33 = 147 lies in block 9.
        Assert.All(sequence.Tables[0][..9], block => Assert.Equal(-1, block));
        Assert.All(sequence.Tables[0][9..13], block => Assert.NotEqual(-1, block));
        Assert.Equal((4, 9), (cache.UsedBlocks, cache.CachedBlocks));
        cache.Check();
    }

    [Fact]
    public void Match_WindowedGroup_NeedsOnlyTheLastWindow()
    {
        var cache = CacheFixture.Cache([16], [16]);
        var ids = CacheFixture.Ids(160);
        cache.Close(cache.Computed(ids));

        // Six new blocks drive the six oldest out: 0 to 5, which slid out of the window first.
        var other = cache.Open("x", 256);
        cache.TryReserve(other, 12 * 16);
        var sequence = cache.Open("", 160);

        Assert.Equal(160, cache.Match(sequence, ids, 160));
        Assert.Equal(4, sequence.Tables[0][..10].Count(block => block >= 0));

        // A shorter prefix has lost its window.
        Assert.Equal(0, cache.Match(cache.Open("", 160), ids, 96));
        cache.Check();
    }

    [Fact]
    public void Match_OneHoleInTheWindow_FallsBackToBeforeIt()
    {
        var cache = CacheFixture.Cache([null, 16], [32, 7]);
        var ids = CacheFixture.Ids(80);
        cache.Close(cache.Computed(ids));

        // Blocks 0 and 1 slid out of the window before the end and are the oldest, then comes the last one.
        cache.Close(cache.Computed(CacheFixture.Ids(80, 500), "x"));

        var sequence = cache.Open("", 80);
        Assert.Equal(0, cache.Match(sequence, ids, 80));
        cache.Check();
    }

    [Fact]
    public void Commit_CollidingHashes_NeverGivesWrongBlocks()
    {
        var cache = CacheFixture.Cache([null], [16], (_, _) => 1);
        var first = cache.Computed(CacheFixture.Ids(48));
        var second = cache.Computed(CacheFixture.Ids(48, 100));

        Assert.Equal(1, first.CommittedBlocks);
        Assert.Equal(0, second.CommittedBlocks);
        Assert.Empty(first.Tables[0][..3].Intersect(second.Tables[0][..3]));
        Assert.Equal(0, cache.Match(cache.Open("", 48), CacheFixture.Ids(48, 100), 48));
        Assert.Equal(16, cache.Match(cache.Open("", 48), CacheFixture.Ids(48), 48));
        cache.Check();
    }

    [Fact]
    public void Match_SameHashAndTokensAfterOtherTokens_FindsNothing()
    {
        var cache = CacheFixture.Cache([null], [16], (_, ids) => (UInt128)ids[0]);
        cache.Close(cache.Computed([.. CacheFixture.Ids(16), .. CacheFixture.Ids(16, 500)]));
        int[] other = [.. CacheFixture.Ids(16, 100), .. CacheFixture.Ids(16, 500)];

        var sequence = cache.Computed(other);

        Assert.Equal(1, sequence.CommittedBlocks);
        Assert.Equal(16, cache.Match(cache.Open("", 32), other, 32));
        cache.Check();
    }

    [Theory]
    [InlineData(45, 45)]
    [InlineData(40, 40)]
    [InlineData(32, 32)]
    [InlineData(31, 16)]
    [InlineData(16, 16)]
    [InlineData(5, 0)]
    public void Truncate_AnyLength_KeepsPrivatePartsAndWholeBlocks(int keep, int expected)
    {
        var cache = CacheFixture.Cache(8);
        var ids = CacheFixture.Ids(45);
        var sequence = cache.Open("", 64);
        cache.Grow(sequence, ids, 40);
        cache.Grow(sequence, ids, 45);

        // Positions 32 to 45 are in a private block: going back within it costs nothing.
        Assert.Equal(2, sequence.CommittedBlocks);
        Assert.Equal(expected, cache.Truncate(sequence, keep));
        cache.Check();
    }

    [Fact]
    public void Truncate_InsideACommittedBlock_LeavesItToItsHolders()
    {
        var cache = CacheFixture.Cache(8);
        var ids = CacheFixture.Ids(48);
        var sequence = cache.Computed(ids);
        var other = cache.Open("", 48);
        cache.Match(other, ids, 48);
        var shared = other.Tables[0][2];

        Assert.Equal(32, cache.Truncate(sequence, 40));
        cache.TryReserve(sequence, 48);

        Assert.NotEqual(shared, sequence.Tables[0][2]);
        Assert.Equal(shared, other.Tables[0][2]);
        cache.Check();
    }

    [Fact]
    public void Truncate_BehindAWindow_TakesCachedBlocksBackOrStartsAnew()
    {
        var cache = CacheFixture.Cache([16], [32]);
        var ids = CacheFixture.Ids(320);
        var sequence = cache.Computed(ids);

        Assert.Equal(160, cache.Truncate(sequence, 170));
        Assert.Equal(4, sequence.Tables[0].Count(block => block >= 0));
        cache.Check();

        // With its cached blocks gone there is nothing to go back to.
        cache.TryReserve(cache.Open("x", 512), 28 * 16);
        Assert.Equal(0, cache.Truncate(sequence, 80));
        Assert.Equal(28, cache.UsedBlocks);
        cache.Check();
    }

    [Fact]
    public void Close_Forgetting_DropsWhatNobodyElseHolds()
    {
        var cache = CacheFixture.Cache(16);
        var ids = CacheFixture.Ids(64);
        var other = cache.Computed(ids[..32]);
        var doubtful = cache.Open("", 64);
        cache.Match(doubtful, ids, 63);
        cache.Grow(doubtful, ids, 64);

        cache.Close(doubtful, forget: true);

        Assert.Equal((2, 0), (cache.UsedBlocks, cache.CachedBlocks));
        Assert.Equal(32, cache.Match(cache.Open("", 64), ids, 64));
        cache.Close(other, forget: true);
        cache.Check();
    }

    [Fact]
    public void Close_LastSequence_LeavesNoNodesWithoutBlocks()
    {
        var cache = CacheFixture.Cache([16], [8]);
        var ids = CacheFixture.Ids(1600);
        var sequence = cache.Open("", 1600);
        for (var length = 16; length <= 1600; length += 16)
        {
            cache.Grow(sequence, ids, length);
            cache.Check();
        }

        cache.Close(sequence);
        var other = cache.Open("x", 128);
        cache.TryReserve(other, 128);

        // The whole old chain is gone with its last block; the other tenant's root is left.
        Assert.Equal(1, cache.Prefixes.Count);
        cache.Check();
    }

    [Fact]
    public void TryReserve_ManyLongWindowedPrefixes_KeepsMetadataBounded()
    {
        // Eight sequences side by side leave 8 x 100 nodes, of which only the last few of each have a block.
        var cache = CacheFixture.Cache([16], [40]);
        KvSequence[] sequences = [.. Enumerable.Range(0, 8).Select(_ => cache.Open("", 1600))];
        for (var length = 16; length <= 1600; length += 16)
        {
            for (var i = 0; i < sequences.Length; i++)
            {
                cache.Grow(sequences[i], CacheFixture.Ids(1600, i * 2000), length);
            }
        }

        Assert.Equal(1 + 800, cache.Prefixes.Count);
        foreach (var sequence in sequences)
        {
            cache.Close(sequence);
        }

        cache.TryReserve(cache.Open("x", 640), 16);

        Assert.InRange(cache.Prefixes.Count, 2, 2 + 40 + (4 * 40));
        cache.Check();
    }

    [Fact]
    public void LongestSequence_WindowsOnly_IsUnlimited()
    {
        Assert.Equal(8 * 16, CacheFixture.Cache(8).LongestSequence);
        Assert.Equal(8 * 16, CacheFixture.Cache([null, 16], [8, 5]).LongestSequence);
        Assert.Equal(int.MaxValue, CacheFixture.Cache([16], [5]).LongestSequence);
        Assert.Equal(4 * 16, CacheFixture.Cache([16], [4]).LongestSequence);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(100)]
    public void PeakBlocks_GrowingByChunks_IsReachedNeverExceeded(int chunk)
    {
        var cache = CacheFixture.Cache([20], [64]);
        var ids = CacheFixture.Ids(3000);
        var sequence = cache.Open("", 3000);
        var peak = 0;
        for (var length = chunk; length <= 3000; length += chunk)
        {
            Assert.True(cache.TryReserve(sequence, length));
            peak = Math.Max(peak, cache.UsedBlocks);
            cache.Commit(sequence, ids, length);
        }

        Assert.InRange(peak, cache.PeakBlocks(0, int.MaxValue, chunk) - 1, cache.PeakBlocks(0, int.MaxValue, chunk));
    }
}
