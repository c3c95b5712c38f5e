using CsCheck;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Router.Routing;

public class PathPolicyTests
{
    private const int Layers = 20;
    private static readonly ShardOffer Whole = Shard(0, Layers);

    [Fact]
    public void Choose_NobodyServes_IsNone()
    {
        Assert.Empty(Chosen());
        Assert.Empty(Chosen(New("a"), New("b", Shard(0, 19)), New("c", Whole with { Model = "x" })));
    }

    [Fact]
    public void Choose_LeastLoadedRelativeToRoom_Wins()
    {
        Assert.Equal([1], Chosen(Loaded("a", 2, Whole), Loaded("b", 5, Whole with { MaxSessions = 100 }), New("c")));
    }

    [Fact]
    public void Choose_ShardThatIsAboutToGo_IsForTheSessionsThatItHoldsAlone()
    {
        var ending = Shard(0, 10) with { IsEnding = true };
        PathCandidate[] workers = [New("a", ending), New("b", Shard(10, 20))];
        var map = PathMap.Build("demo", workers, new PathOptions());
        Assert.Empty(Chosen(workers));
        Assert.Null(PathPolicy.Choose(map, new PathRequest { NeedsRoom = false }, new PathOptions()));
        Assert.Equal("Layers [0,10) of 'demo' are served by no connected worker.", PathProblem.Describe(map));
        var goesOn = new PathRequest { Kept = new HashSet<(string, Contracts.Identifiers.LayerRange)> { ("a", new(0, 10)) } };
        Assert.Equal(["a", "b"], PathPolicy.Choose(map, goesOn, new PathOptions())!.Shards.Select(static shard => shard.WorkerId));
    }

    [Fact]
    public void Choose_Tie_GoesToTheFirstIdInAnyOrder()
    {
        Assert.Equal([0], Chosen(Loaded("a", 1, Whole), Loaded("b", 1, Whole)));
        Assert.Equal([1], Chosen(Loaded("b", 1, Whole), Loaded("a", 1, Whole)));
    }

    [Fact]
    public void Choose_RangesThatMeet_AreChainedFromTheHead()
    {
        Assert.Equal([2, 0, 1], Chosen(New("a", Shard(5, 12)), New("b", Shard(12, 20)), New("c", Shard(0, 5))));
    }

    [Theory]
    [InlineData(9, 20)]
    [InlineData(11, 20)]
    [InlineData(10, 19)]
    public void Choose_RangesThatOverlapOrLeaveAGap_AreNoPath(int start, int end)
    {
        Assert.Empty(Chosen(New("a", Shard(0, 10)), New("b", Shard(start, end))));
    }

    [Fact]
    public void Choose_FewestStages_BeforeLoad()
    {
        Assert.Equal([2], Chosen(New("a", Shard(0, 10)), New("b", Shard(10, 20)), Loaded("c", 9, Whole)));
        Assert.Equal([0, 3], Chosen(Loaded("a", 9, Shard(0, 10)), New("b", Shard(10, 15)), New("c", Shard(15, 20)), Loaded("d", 9, Shard(10, 20))));
    }

    [Fact]
    public void Choose_LoadOfAllStages_IsAddedUp()
    {
        // The cheaper head leads to the dearer whole: 3 + 4 against 5 + 1.
        Assert.Equal(
            [1, 3],
            Chosen(Loaded("a", 3, Shard(0, 10)), Loaded("b", 5, Shard(0, 12)), Loaded("c", 4, Shard(10, 20)), Loaded("d", 1, Shard(12, 20))));
    }

    [Fact]
    public void Choose_TieOfPaths_GoesToTheFirstIdsFromTheHead()
    {
        Assert.Equal(
            [3, 0],
            Chosen(New("b", Shard(10, 20)), New("c", Shard(0, 10)), New("d", Shard(10, 20)), New("a", Shard(0, 10))));
    }

    [Fact]
    public void Choose_SeveralClasses_StaysWithinOne()
    {
        var other = Shard(10, 20) with { NumericClass = Class("11") };

        Assert.Empty(Chosen(New("a", Shard(0, 10)), New("b", other)));
        Assert.Equal([0, 2], Chosen(New("a", Shard(0, 10)), New("b", other), Loaded("c", 9, Shard(10, 20))));
        Assert.Equal([1, 3], Chosen(
            New("a", Shard(0, 10)), New("b", other with { Range = new(0, 10) }), Loaded("c", 1, Shard(10, 20)), New("d", other)));
    }

    [Fact]
    public void Choose_AnotherVocabularyOrDepth_IsNotJoined()
    {
        Assert.Empty(Chosen(New("a", Shard(0, 10)), New("b", Shard(10, 20) with { VocabularySize = 259 })));
        Assert.Empty(Chosen(New("a", Shard(0, 10)), New("b", Shard(10, 20) with { LayerCount = 21 })));
    }

    [Fact]
    public void Choose_AWorkerWithSeveralShards_StandsOnceOnThePath()
    {
        var both = New("a", Shard(0, 10), Shard(10, 20));

        Assert.Empty(Chosen(both));
        Assert.Equal([0, 1], Chosen(both, Loaded("b", 5, Shard(10, 20))));
        Assert.Equal([1, 0], Chosen(both, Loaded("b", 5, Shard(0, 10))));
        Assert.Equal([0], Chosen(New("a", Shard(0, 10), Shard(10, 20), Whole)));
    }

    [Fact]
    public void Choose_OneWorkerByTwoAddresses_StandsOnceOnThePath()
    {
        Assert.Empty(Chosen(New("a", Shard(0, 10)), New("b", Shard(10, 20)) with { WorkerId = "a" }));
    }

    [Fact]
    public void Choose_ASenselessRange_IsLeftOut()
    {
        Assert.Empty(Chosen(New("a", Shard(0, 0)), New("b", Shard(-1, 20)), New("c", Shard(0, 21)), New("d", Shard(10, 5))));
    }

    [Fact]
    public void Choose_Of256Workers_DoesNotEnumeratePaths()
    {
        // 64 layers, four workers for each: 4^64 paths.
        var candidates = Enumerable.Range(0, 256)
            .Select(static i => Loaded($"{i:000}", i % 7, Shard(i % 64, (i % 64) + 1) with { LayerCount = 64 }))
            .ToArray();

        var path = Chosen(candidates).ToList();

        Assert.Equal(64, path.Count);
        Assert.All(path, hop => Assert.True(
            Enumerable.Range(0, 4).All(i => Sessions(candidates[(hop % 64) + (64 * i)]) >= Sessions(candidates[hop]))));
    }

    /// <summary>Against trying everything: as short, as little loaded, and the same whatever the order of candidates.</summary>
    [Fact]
    public void Choose_SmallClusters_IsWhatEnumerationFinds() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 4], Gen.Int[0, 3], Gen.Int[0, 4]).Array[0, 9].Sample(workers =>
        {
            var candidates = new List<PathCandidate>();
            foreach (var (start, length, sessions, id) in workers)
            {
                var shard = Shard(start, Math.Min(4, start + length)) with { LayerCount = 4 };
                var at = candidates.FindIndex(c => c.WorkerId == $"w{id}");
                if (at >= 0)
                {
                    candidates[at] = candidates[at] with
                    {
                        Shards = candidates[at].Shards.Add(new ShardCandidate(shard with { ShardId = $"{candidates[at].Shards.Length}" })
                        {
                            Load = candidates[at].Shards[0].Load,
                        }),
                    };
                }
                else
                {
                    candidates.Add(Loaded($"w{id}", sessions, shard));
                }
            }

            // Which of several that tie is taken depends on shards, which the enumeration does not tell apart, but on no order.
            var expected = Enumerate(candidates, [], 0).OrderBy(static path => path.Length).ThenBy(path => path.Sum(i => Sessions(candidates[i]))).FirstOrDefault([]);
            int[] chosen = [.. Chosen([.. candidates])];
            Assert.Equal((expected.Length, expected.Sum(i => Sessions(candidates[i]))), (chosen.Length, chosen.Sum(i => Sessions(candidates[i]))));
            candidates.Reverse();
            Assert.Equal(chosen, Chosen([.. candidates]).Select(i => candidates.Count - 1 - i));
        });

    [Fact]
    public void Problem_LayersNobodyServes_AreNamed()
    {
        Assert.Equal("Layers [10,20) of 'demo' are served by no connected worker.", Problem(New("a", Shard(0, 10)), New("b")));
        Assert.Equal(
            "Layers [0,2) and [4,6) and [8,20) of 'demo' are served by no connected worker.",
            Problem(New("a", Shard(6, 8)), New("b", Shard(2, 4))));
        Assert.Equal("", Problem(New("a", Whole with { Model = "x" }), New("b")));
    }

    [Fact]
    public void Problem_ClassesThatCannotBeJoined_AreNamed()
    {
        var problem = Problem(New("a", Shard(0, 10)), New("b", Shard(10, 20) with { NumericClass = Class("11") }));

        Assert.Contains("cpu-v1-bf16-00 [0,10); cpu-v1-bf16-11 [10,20)", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Problem_RangesThatDoNotMeet_AreNamed()
    {
        Assert.Contains("[0,12) [10,20)", Problem(New("b", Shard(10, 20)), New("a", Shard(0, 12))), StringComparison.Ordinal);
        Assert.Contains("over different workers", Problem(New("a", Shard(0, 10), Shard(10, 20))), StringComparison.Ordinal);
    }

    private static IEnumerable<int[]> Enumerate(List<PathCandidate> candidates, int[] path, int from) => from == 4
        ? [path]
        : from i in Enumerable.Range(0, candidates.Count)
          where !path.Contains(i)
          from shard in candidates[i].Shards.Select(static shard => shard.Offer)
          where shard.Range.Start == @from && shard.IsValid
          from longer in Enumerate(candidates, [.. path, i], shard.Range.End)
          select longer;

    private static IEnumerable<int> Chosen(params PathCandidate[] candidates)
    {
        if (PathPolicy.Choose(PathMaps.Map(candidates), PathMaps.Any, PathMaps.Plain) is not { } path)
        {
            return [];
        }

        Assert.All(path.Hops, hop => Assert.Contains(hop.Shard, candidates[hop.Candidate].Shards.Select(static shard => shard.Offer)));
        return path.Hops.Select(static hop => hop.Candidate);
    }

    private static string Problem(params PathCandidate[] candidates)
    {
        Assert.Empty(Chosen(candidates));
        return PathProblem.Describe(PathMaps.Map(candidates));
    }

    private static int Sessions(PathCandidate candidate) => candidate.Shards[0].Load.Sessions;

    private static PathCandidate New(string id, params ShardOffer[] shards) => Loaded(id, 0, shards);

    private static PathCandidate Loaded(string id, int sessions, params ShardOffer[] shards) =>
        PathMaps.Node(id, [.. shards.Select(shard => new ShardCandidate(shard) { Load = new StageLoad(sessions) })]);

    private static ShardOffer Shard(int start, int end) => PathMaps.Offer(start, end);

    private static NumericClass Class(string weights) => PathMaps.Class(weights);
}
