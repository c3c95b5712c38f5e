using Parallax.KvIndex.Announcing;
using Parallax.KvIndex.Events;
using Parallax.Testing;
using static Parallax.UnitTests.KvIndex.Batches;

namespace Parallax.UnitTests.KvIndex;

public sealed class BlockAnnouncerTests
{
    private readonly BlockAnnouncer _announcer = new(1);
    private readonly AnnouncedShard _shard;
    private TimeSpan _now = TimeSpan.FromHours(1);

    public BlockAnnouncerTests() => _shard = _announcer.Open("s1", Batches.Range, 100)!;

    [Fact]
    public void Next_BeginsFirst_ThenGathersChanges()
    {
        Assert.Equal((1L, true, true), Shape(_announcer.Next(_now)));
        Assert.Null(_announcer.Next(_now));
        Add(Chain(3));
        Assert.Null(_announcer.Next(_now));
        _now += TimeSpan.FromMilliseconds(30);
        Add(Chain(2, number: 1));
        _announcer.Evicted(_shard, Hash(0, 2), _now);
        _now += TimeSpan.FromMilliseconds(20);
        var batch = _announcer.Next(_now)!;
        Assert.Equal((2L, false, false), Shape(batch));
        Assert.Equal([Hash(0, 0), Hash(0, 1), Hash(1, 0), Hash(1, 1)], batch.Hashes());
        Assert.Equal([Hash(0, 2)], batch.Shards[0].Evicted);
        Assert.Null(_announcer.Next(_now));
        Assert.Equal(4, _announcer.Held);
    }

    [Fact]
    public void Next_ManyChanges_DoNotWait_AndAreCutIntoBatches()
    {
        _announcer.Next(_now);
        Add(Chain(5000));
        Assert.Equal([2048, 2048], All().Select(static batch => batch.Hashes().Length));
        _now += TimeSpan.FromMilliseconds(50);
        Assert.Equal([904], All().Select(static batch => batch.Hashes().Length));
        Assert.Null(_announcer.Next(_now));
    }

    [Fact]
    public void BeginAnew_SaysAllInPages_WithoutWhatHasGoneMeanwhile()
    {
        _announcer.Next(_now);
        Add(Chain(3000));
        All();
        _now += TimeSpan.FromSeconds(10);
        All();
        _announcer.BeginAnew();
        Assert.Equal((4L, true, true), Shape(_announcer.Next(_now)));
        var first = _announcer.Next(_now)!;
        foreach (var gone in Chain(3000).Except(first.Hashes()).Take(900))
        {
            _announcer.Evicted(_shard, gone, _now);
        }

        _now += TimeSpan.FromMilliseconds(50);
        var rest = All();
        Assert.Equal([(5L, 2048, 0), (6L, 0, 900), (7L, 52, 0)], new[] { first }.Concat(rest).Select(static batch => (batch.Sequence, batch.Hashes().Length, batch.Shards[0].Evicted.Length)));
    }

    [Fact]
    public void BeginAnew_IsRateLimited()
    {
        Assert.True(_announcer.Next(_now)!.Begins);
        for (var i = 0; i < 100; i++)
        {
            _announcer.BeginAnew();
            _now += TimeSpan.FromMilliseconds(19);
            Assert.Null(_announcer.Next(_now));
        }

        _now += TimeSpan.FromMilliseconds(100);
        Assert.True(_announcer.Next(_now)!.Begins);
        _now += TimeSpan.FromSeconds(4);
        Assert.Null(_announcer.Next(_now));
    }

    [Fact]
    public void Next_WithoutChanges_RepeatsTheLastNumberNowAndThen()
    {
        _announcer.Next(_now);
        Add(Chain(1));
        _now += TimeSpan.FromSeconds(1);
        Assert.Equal(2, _announcer.Next(_now)!.Sequence);
        _now += TimeSpan.FromSeconds(4.9);
        Assert.Null(_announcer.Next(_now));
        _now += TimeSpan.FromSeconds(0.1);
        var pulse = _announcer.Next(_now)!;
        Assert.Equal((2L, true), (pulse.Sequence, pulse.IsPulse));
        Assert.Null(_announcer.Next(_now));
    }

    [Fact]
    public void Changes_ThatNobodyTakes_LeaveANumberOut_AndAllIsSaidAnew()
    {
        _announcer.Next(_now);
        Add(Chain(9000));
        _now += TimeSpan.FromSeconds(1);
        Assert.Equal([3], All().Select(static batch => batch.Sequence)); // the rest of the changes; 2 is missing
        _now += TimeSpan.FromSeconds(1);
        var anew = All();
        Assert.Equal((4L, true), (anew[0].Sequence, anew[0].Begins));
        Assert.Equal(9000, anew.Sum(static batch => batch.Hashes().Length));
    }

    [Fact]
    public void Close_ClearsTheShard_AndWhatItWouldHaveSaid()
    {
        _announcer.Next(_now);
        Add(Chain(3));
        _announcer.Close(_shard);
        Add(Chain(5));
        _now += TimeSpan.FromSeconds(1);
        var batch = Assert.Single(All());
        Assert.Equal((2L, true, 0, 0), (batch.Sequence, batch.Shards[0].Clear, batch.Hashes().Length, _announcer.Held));
    }

    [Fact]
    public void Open_ShardsBeyondTheBound_AreNotAnnounced()
    {
        for (var i = 1; i < BlockLimits.MaxShards; i++)
        {
            Assert.NotNull(_announcer.Open($"t{i}", Batches.Range, 1));
        }

        Assert.Null(_announcer.Open("one more", Batches.Range, 1));
        _announcer.Close(_shard);
        Assert.NotNull(_announcer.Open("one more", Batches.Range, 1));
        Assert.Null(_announcer.Open("", Batches.Range, 1));
    }

    [Fact]
    public void Notifications_AllocateNothing()
    {
        var chain = Chain(100);
        Assert.Equal(0, Allocations.OfWarm(() => Use(chain, rounds: 10)));
    }

    private void Use(UInt128[] chain, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            foreach (var hash in chain)
            {
                _announcer.Added(_shard, hash, _now);
            }

            foreach (var hash in chain)
            {
                _announcer.Evicted(_shard, hash, _now);
            }
        }
    }

    private static (long Sequence, bool Begins, bool IsEmpty) Shape(BlockBatch? batch) => (batch!.Sequence, batch.Begins, batch.Shards.IsEmpty);

    private void Add(UInt128[] hashes)
    {
        foreach (var hash in hashes)
        {
            _announcer.Added(_shard, hash, _now);
        }
    }

    private List<BlockBatch> All()
    {
        var all = new List<BlockBatch>();
        while (_announcer.Next(_now) is { } batch)
        {
            all.Add(batch);
        }

        return all;
    }
}
