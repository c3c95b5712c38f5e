using Parallax.Router.Routing;
using Parallax.Runtime.Execution;
using static Parallax.UnitTests.Router.Routing.PathMaps;

namespace Parallax.UnitTests.Router.Routing;

/// <summary>What no cost can buy.</summary>
public class PathLimitTests
{
    [Fact]
    public void AFullStage_IsNotUsed()
    {
        PathCandidate[] workers = [Node("a", Timed(0, 20, 1, sessions: 10)), Node("b", Timed(0, 20, 100, sessions: 9))];

        Assert.Equal(["b"], Ids(Choose(workers, Any)));
        Assert.Null(Choose(workers, Any with { Sessions = 2 }));
        Assert.Equal(["a"], Ids(Choose(workers, Any with { NeedsRoom = false })));
    }

    [Fact]
    public void KvRoom_MustHoldThePromptAndTheAnswerThatIsExpected()
    {
        var shard = Timed(0, 20, 1) with { Load = new StageLoad(0, 0, KvTokensFree: 59) };
        var request = new PathRequest { PromptTokens = 40, MaxTokens = 20 };

        Assert.NotNull(Choose([Node("a", shard)], request));
        Assert.Null(Choose([Node("a", shard)], request with { PromptTokens = 41 }));
        Assert.NotNull(Choose([Node("a", shard)], request with { Sessions = 2 }));
        Assert.NotNull(Choose([Node("a", shard with { Load = new StageLoad(0) })], request with { PromptTokens = 41 }));
    }

    [Fact]
    public void ContextLimit_OfEveryStage_Counts()
    {
        var small = new ShardCandidate(Offer(10, 20) with { ContextLimit = 50 }) { Speed = Steady(1) };
        PathCandidate[] workers = [Node("a", Timed(0, 10, 1)), Node("b", small), Node("c", Timed(10, 20, 90))];

        Assert.Equal(["a", "b"], Ids(Choose(workers, new PathRequest { PromptTokens = 30, MaxTokens = 20 })));
        Assert.Equal(["a", "c"], Ids(Choose(workers, new PathRequest { PromptTokens = 30, MaxTokens = 21 })));
    }

    [Fact]
    public void Defect18_StaleWeights_AreNotServed()
    {
        var stale = new ShardCandidate(Offer(10, 20) with { NumericClass = Class("old") }) { Speed = Steady(1) };
        PathCandidate[] workers = [Node("a", Timed(0, 10, 1)), Node("b", stale), Node("c", Timed(10, 20, 500))];

        Assert.Equal(["a", "c"], Ids(Choose(workers, Any))); // never mixed
        Assert.Null(Choose(workers, Any with { NumericClass = Class("old") })); // a session of those weights
        var whole = Node("d", new ShardCandidate(Offer(0, 20) with { NumericClass = Class("old") }) { Speed = Steady(1) });
        Assert.Equal(["a", "c"], Ids(Choose([.. workers, whole], Any with { NumericClass = Class("00") })));
        Assert.Null(Choose([whole], Any with { NumericClass = Class("00") with { Residual = ResidualPrecision.F32 } }));
    }

    [Fact]
    public void Defect15_AJoinThatClosesTheChain_IsUsed()
    {
        // 44 layers over nine: whoever comes last, with it there is a path, and without it none.
        var workers = Enumerable.Range(0, 9).Select(static i => Node(
            $"n{i}", new ShardCandidate(Offer(5 * i, Math.Min(44, (5 * i) + 5)) with { LayerCount = 44 }))).ToList();
        for (var last = 0; last < workers.Count; last++)
        {
            var before = workers.Where((_, i) => i != last).ToList();

            Assert.Null(Choose(before, Any));
            Assert.Contains($"[{5 * last},", PathProblem.Describe(Map(before)), StringComparison.Ordinal);
            Assert.Equal(workers.Select(static worker => worker.WorkerId), Ids(Choose([.. before, workers[last]], Any)));
        }
    }

    [Fact]
    public void Full_IsExplainedWithTheFigures()
    {
        var tight = Timed(10, 20, 1) with { Load = new StageLoad(0, 0, KvTokensFree: 3) };
        var map = Map(Node("a", Timed(0, 10, 1, sessions: 10)), Node("b", tight));
        StageLoad[] loads = [.. map.Nodes.Select(static node => node.Shard.Load)];

        var problem = PathProblem.DescribeFull(map, loads, new PathRequest { PromptTokens = 5, MaxTokens = 5 });

        Assert.Equal("All paths of 'demo' are full: a [0,10): 10 of 10 sessions; b [10,20): 3 KV positions free, 9 needed.", problem);
        Assert.Contains("an answer of 500", PathProblem.DescribeFull(map, loads, new PathRequest { PromptTokens = 5, MaxTokens = 500 }), StringComparison.Ordinal);
    }

    private static PathChoice? Choose(IReadOnlyList<PathCandidate> workers, PathRequest request) => PathPolicy.Choose(Map(workers), request, Plain);
}
