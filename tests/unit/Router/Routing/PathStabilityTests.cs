using System.Collections.Immutable;
using Parallax.Router.Routing;
using static Parallax.UnitTests.Router.Routing.PathMaps;

namespace Parallax.UnitTests.Router.Routing;

/// <summary>Many choices one after another, and many routers at once.</summary>
public class PathStabilityTests
{
    private static readonly PathOptions Options = new();

    [Fact]
    public void NoiseInTheMeasurements_MovesNobody()
    {
        var random = new Random(1);
        var first = Choose(Workers(random), default, 7)!;
        var kept = first.Shards;
        for (var i = 0; i < 500; i++)
        {
            var choice = Choose(Workers(random), kept, (ulong)random.NextInt64())!;
            Assert.Equal(first.Shards, choice.Shards);
            kept = choice.Shards;
        }

        // Of eight times four pairs within 3 % of each other; without memory it would wander.
        Assert.True(Enumerable.Range(0, 50).Select(i => string.Join(' ', Ids(Choose(Workers(random), default, (ulong)i)))).Distinct().Count() > 10);

        static PathCandidate[] Workers(Random random) =>
        [
            .. Enumerable.Range(0, 8).Select(i => Node($"h{i}", Timed(0, 10, 10 * (0.985 + (random.NextDouble() * 0.03))))),
            .. Enumerable.Range(0, 4).Select(i => Node($"t{i}", Timed(10, 20, 10 * (0.985 + (random.NextDouble() * 0.03))))),
        ];
    }

    [Fact]
    public void APathThatBecomesMuchDearer_IsLeft()
    {
        ImmutableArray<ShardKey> previous = [new("a", "")];

        Assert.Equal(("a", PathReason.Kept), Chosen(10.9));
        Assert.Equal(("b", PathReason.Best), Chosen(11.1));
        Assert.Equal(["b"], Ids(Choose([Node("a"), Node("b", Timed(0, 20, 10))], previous, 1)));
        Assert.Equal(["b"], Ids(Choose([Node("b", Timed(0, 20, 10))], previous, 1)));
        Assert.Equal(["b"], Ids(Choose([Node("a", Timed(0, 20, 1, sessions: 10)), Node("b", Timed(0, 20, 10))], previous, 1)));

        (string Ids, PathReason Reason) Chosen(double ms)
        {
            var choice = Choose([Node("a", Timed(0, 20, ms)), Node("b", Timed(0, 20, 10))], previous, 1)!;
            return (string.Join(' ', Ids(choice)), choice.Reason);
        }
    }

    /// <summary>Twenty routers with one map that none of them updates: what each does the others do not see.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stampede_OfTwentyRoutersWithOneStaleMap_Spreads(bool measured)
    {
        var random = new Random(3);
        var map = Map([.. Enumerable.Range(0, 10).SelectMany(i => new[] { Stage($"h{i}", 0, 10), Stage($"t{i}", 10, 20) })]);
        var taken = new Dictionary<string, int>();
        for (var router = 0; router < 20; router++)
        {
            foreach (var id in Ids(PathPolicy.Choose(map, Any, Options, random: (ulong)random.NextInt64())))
            {
                taken[id] = taken.GetValueOrDefault(id) + 1;
            }
        }

        // Two sessions each would be ideal; without drawing one pair would have all twenty.
        Assert.True(taken.Count >= 14, $"only {taken.Count} of 20 workers were used");
        Assert.InRange(taken.Values.Max(), 2, 6);

        PathCandidate Stage(string id, int start, int end) => measured
            ? Node(id, Timed(start, end, 10 + (random.NextDouble() * 0.1)))
            : Node(id, new ShardCandidate(Offer(start, end)));
    }

    [Fact]
    public void Stampede_NobodyIsSentToAWorkerThatIsMuchSlower()
    {
        PathCandidate[] workers = [.. Enumerable.Range(0, 5).Select(static i => Node($"f{i}", Timed(0, 20, 10))), Node("slow", Timed(0, 20, 12))];
        var map = Map(workers);

        var chosen = Enumerable.Range(0, 200).Select(i => Ids(PathPolicy.Choose(map, Any, Options, random: (ulong)i))[0]).ToList();

        Assert.DoesNotContain("slow", chosen);
        Assert.All(workers.SkipLast(1), worker => Assert.InRange(chosen.Count(id => id == worker.WorkerId), 15, 75));
    }

    [Fact]
    public void TwoDraws_TakeTheCheaper()
    {
        // Two paths within the margin: whichever is drawn first, the other is drawn too, and the cheaper of them is taken.
        var map = Map(Node("a", Timed(0, 20, 10.2)), Node("b", Timed(0, 20, 10)));

        var chosen = Enumerable.Range(0, 100).Count(i => Ids(PathPolicy.Choose(map, Any, Options, random: (ulong)i))[0] == "b");

        Assert.InRange(chosen, 85, 100);
    }

    private static PathChoice? Choose(IReadOnlyList<PathCandidate> workers, ImmutableArray<ShardKey> previous, ulong random) =>
        PathPolicy.Choose(PathMap.Build("demo", workers, Options), Any, Options, previous, random);
}
