using Parallax.Contracts.Identifiers;
using Parallax.KvIndex.Index;
using static Parallax.UnitTests.KvIndex.Batches;

namespace Parallax.UnitTests.KvIndex;

public sealed class PrefixIndexTests
{
    private readonly PrefixIndex _index = new(new PrefixIndexOptions { Capacity = 64 });
    private TimeSpan _now;

    [Fact]
    public void LongestRun_IsTheLeadingBlocksThatTheShardHolds()
    {
        var chain = Chain(10);
        Assert.Equal(BlockOutcome.Applied, Apply("a", Begins(1, Added(chain[..7]))));

        Assert.Equal(7, _index.LongestRun(chain, Of("a")));
        Assert.Equal(5, _index.LongestRun(chain.AsSpan(0, 5), Of("a")));
        Assert.Equal(0, _index.LongestRun([], Of("a")));
        Assert.Equal(0, _index.LongestRun(Chain(10, number: 1), Of("a")));
        Assert.Equal(0, _index.LongestRun(chain, Of("b")));
        Assert.Equal(0, _index.LongestRun(chain, Of("a", "s2")));
        Assert.Equal(0, _index.LongestRun(chain, Of("a") with { Range = new LayerRange(0, 13) }));
        for (var held = 0; held <= 10; held++)
        {
            Apply("c", Begins(held + 1, Added(chain[..held])));
            Assert.Equal(held, _index.LongestRun(chain, Of("c")));
        }
    }

    [Fact]
    public void LongestRunOfAll_IsTheLeastOfThePath()
    {
        var chain = Chain(10);
        Apply("a", Begins(1, Added(chain[..7])));
        Apply("b", Begins(1, Added(chain[..4])));
        Apply("c", Begins(1, Added(chain)));
        Assert.Equal(4, _index.LongestRunOfAll(chain, [Of("a"), Of("b"), Of("c")]));
        Assert.Equal(7, _index.LongestRunOfAll(chain, [Of("c"), Of("a")]));
        Assert.Equal(0, _index.LongestRunOfAll(chain, [Of("c"), Of("nobody")]));
        Assert.Equal(0, _index.LongestRunOfAll(chain, []));
        var runs = new int[2];
        _index.LongestRuns(chain, [Of("a"), Of("b")], runs);
        Assert.Equal([7, 4], runs);
    }

    [Fact]
    public void Evictions_AndClears_AreFollowed()
    {
        var chain = Chain(6);
        Apply("a", Begins(1, Added(chain)));
        Apply("a", Batch(2, Evicted(chain[4..])));
        Assert.Equal(4, _index.LongestRun(chain, Of("a")));
        Apply("a", Batch(3, Added() with { Clear = true }));
        Assert.Equal((0, true), (_index.LongestRun(chain, Of("a")), _index.Counts.Usable == 1));
        Apply("a", Batch(4, Added(chain[..2])));
        Assert.Equal(2, _index.LongestRun(chain, Of("a")));
        Apply("a", Batch(5, Added(chain[..1]) with { Range = new LayerRange(0, 8) })); // another shard under the same name
        Assert.Equal(0, _index.LongestRun(chain, Of("a")));
        _index.CheckInvariants();
    }

    [Fact]
    public void Gap_MakesAllOfTheWorkerUnusable_UntilItBeginsAnew()
    {
        var chain = Chain(6);
        Apply("a", Begins(1, Added(chain)));
        Apply("b", Begins(1, Added(chain)));
        Assert.Equal(BlockOutcome.Gap, Apply("a", Batch(3, Evicted(chain[5]))));
        Assert.Equal((0, 6), (_index.LongestRun(chain, Of("a")), _index.LongestRun(chain, Of("b"))));

        Assert.Equal(BlockOutcome.Gap, Apply("a", Batch(2, Added(chain)))); // the lost one, late
        Assert.Equal(BlockOutcome.Gap, Apply("a", Batch(4, Added(chain))));
        Assert.Equal(0, _index.LongestRun(chain, Of("a")));
        Assert.Equal(BlockOutcome.Gap, Apply("a", Begins(1, Added(chain)))); // an old beginning, again
        Assert.Equal(BlockOutcome.Applied, Apply("a", Begins(5)));
        Assert.Equal(BlockOutcome.Applied, Apply("a", Batch(6, Added(chain[..3]))));
        Assert.Equal((3, 1L), (_index.LongestRun(chain, Of("a")), _index.Counts.Gaps));
        _index.CheckInvariants();
    }

    [Fact]
    public void Repeated_AndOlderRuns_ChangeNothing()
    {
        var chain = Chain(6);
        Apply("a", Begins(1, Added(chain)) with { Incarnation = 5 });
        Apply("a", Batch(2, Evicted(chain[3..])) with { Incarnation = 5 });
        Assert.Equal(BlockOutcome.Old, Apply("a", Begins(1, Added(chain)) with { Incarnation = 5 }));
        Assert.Equal(BlockOutcome.Old, Apply("a", Batch(2, Evicted(chain)) with { Incarnation = 5 }));
        Assert.Equal(BlockOutcome.Old, Apply("a", Begins(9, Added(chain)) with { Incarnation = 4 }));
        Assert.Equal(3, _index.LongestRun(chain, Of("a")));

        Assert.Equal(BlockOutcome.Gap, Apply("a", Batch(7) with { Incarnation = 6 }));
        Assert.Equal(0, _index.LongestRun(chain, Of("a")));
        Assert.Equal(BlockOutcome.Applied, Apply("a", Begins(8, Added(chain[..2])) with { Incarnation = 6 }));
        Assert.Equal(2, _index.LongestRun(chain, Of("a")));
    }

    [Fact]
    public void Pulse_TellsOfALostBatch()
    {
        var chain = Chain(3);
        Apply("a", Begins(1, Added(chain)));
        Assert.Equal(BlockOutcome.Old, Apply("a", Batch(1)));
        Assert.Equal(3, _index.LongestRun(chain, Of("a")));
        Assert.Equal(BlockOutcome.Gap, Apply("a", Batch(2)));
        Assert.Equal(0, _index.LongestRun(chain, Of("a")));
    }

    [Fact]
    public void TryTakeAsk_NamesWorkersOfWhomSomethingWasMissed_AtAGrowingPace()
    {
        Apply("new", Batch(17));
        Apply("known", Begins(1));
        var asked = new List<double>();
        for (; _now < TimeSpan.FromSeconds(120); _now += TimeSpan.FromSeconds(0.5))
        {
            Apply("known", Batch(1));
            while (_index.TryTakeAsk(_now, out var worker, out var incarnation))
            {
                Assert.Equal(("new", 1L), (worker, incarnation));
                asked.Add(_now.TotalSeconds);
            }
        }

        Assert.Equal([0, 1, 3, 7, 15, 31, 61, 91], asked);
        Apply("new", Begins(18));
        Assert.False(_index.TryTakeAsk(_now, out _, out _));
        Apply("new", Batch(20));
        Assert.True(_index.TryTakeAsk(_now, out _, out _));
    }

    [Fact]
    public void Keep_ForgetsWhoHasLeft_WhoseRunIsOver_AndWhoIsSilent()
    {
        var chain = Chain(3);
        foreach (var worker in new[] { "stays", "left", "restarted", "silent" })
        {
            Apply(worker, Begins(1, Added(chain)));
        }

        var present = new Dictionary<string, long> { ["stays"] = 1, ["restarted"] = 2, ["silent"] = 1 };
        _index.Keep(present, _now);
        Assert.Equal([3, 0, 0, 3], Runs());
        _now += TimeSpan.FromSeconds(50);
        Apply("stays", Batch(1));
        _now += TimeSpan.FromSeconds(11);
        _index.Keep(present, _now);
        Assert.Equal([3, 0, 0, 0], Runs());
        _index.CheckInvariants();
        _index.Keep(present, _now);
        Assert.Equal((1, 3), (_index.Counts.Workers, _index.Counts.Pairs));

        int[] Runs() => [.. new[] { "stays", "left", "restarted", "silent" }.Select(worker => _index.LongestRun(chain, Of(worker)))];
    }

    [Fact]
    public void Full_TheWorkerWithMostGivesItsOldest()
    {
        var (large, small) = (Chain(60), Chain(10, number: 1));
        Apply("large", Begins(1, Added(large)));
        Apply("small", Begins(1, Added(small)));
        _index.CheckInvariants();
        Assert.Equal((64, 6L), (_index.Counts.Pairs, _index.Counts.Crowded));
        Assert.Equal(10, _index.LongestRun(small, Of("small")));
        Assert.Equal(0, _index.LongestRun(large, Of("large"))); // it has lost its first blocks
        Assert.Equal(54, _index.LongestRun(large.AsSpan(6), Of("large")));
    }

    [Fact]
    public void Workers_AndShards_AreBounded()
    {
        var index = new PrefixIndex(new PrefixIndexOptions { Capacity = 256, MaxWorkers = 2 });
        Assert.Equal(BlockOutcome.Applied, index.Apply("a", Begins(1), _now));
        Assert.Equal(BlockOutcome.Applied, index.Apply("b", Begins(1), _now));
        Assert.Equal(BlockOutcome.Full, index.Apply("c", Begins(1), _now));
        for (var i = 0; i < 64; i++)
        {
            Assert.Equal(BlockOutcome.Applied, index.Apply("a", Batch(i + 2, Added(Hash(0, 0)) with { ShardId = $"s{i}" }), _now));
        }

        Assert.Equal(BlockOutcome.Full, index.Apply("a", Batch(66, Added(Hash(0, 0)) with { ShardId = "s64" }), _now));
        Assert.Equal(0, index.LongestRun(Chain(1), Of("a", "s3")));
        index.CheckInvariants();
    }

    private BlockOutcome Apply(string worker, Parallax.KvIndex.Events.BlockBatch batch) => _index.Apply(worker, batch, _now);
}
