using Parallax.Router.Routing;
using static Parallax.UnitTests.Router.Routing.PathMaps;

namespace Parallax.UnitTests.Router.Routing;

/// <summary>Rules other than by cost, for comparisons.</summary>
public sealed class PathRuleTests
{
    private static readonly PathRequest Request = new() { PromptTokens = 80, MaxTokens = 10, CachedByNode = new[] { 64, 0 } };

    [Fact]
    public void LeastLoaded_NeitherSpeedsNorCachedPromptsCount()
    {
        var workers = new[] { Node("fast", Timed(0, 20, 1, sessions: 2)), Node("slow", Timed(0, 20, 50, sessions: 1)) };
        Assert.Equal(["fast"], Ids(Choose(PathRule.Cheapest, workers)));
        Assert.Equal(["slow"], Ids(Choose(PathRule.LeastLoaded, workers)));
    }

    [Fact]
    public void Random_EachPathComesByChance_WhateverItsLoadAndWhateverWasTakenLast()
    {
        var workers = new[] { Node("a", Timed(0, 20, 1, sessions: 9)), Node("b", Timed(0, 20, 50)) };
        var previous = Choose(PathRule.Random, workers)!.Shards;
        var drawn = Enumerable.Range(0, 200).Select(seed => Ids(Choose(PathRule.Random, workers, previous, (ulong)seed))[0]).CountBy(static id => id).ToDictionary();
        Assert.InRange(drawn["a"], 60, 140);
        Assert.Equal(200, drawn["a"] + drawn["b"]);
    }

    [Theory]
    [InlineData("cheapest", PathRule.Cheapest)]
    [InlineData("least-loaded", PathRule.LeastLoaded)]
    [InlineData("random", PathRule.Random)]
    [InlineData("Random", null)]
    [InlineData("", null)]
    public void Parse_KnowsTheNames(string text, PathRule? expected) => Assert.Equal(expected, PathRules.Parse(text));

    private static PathChoice? Choose(
        PathRule rule, PathCandidate[] workers, System.Collections.Immutable.ImmutableArray<ShardKey> previous = default, ulong? random = null)
    {
        var options = Plain with { Rule = rule };
        return PathPolicy.Choose(
            PathMap.Build("demo", workers, options), [.. workers.Select(static worker => worker.Shards[0].Load)], Request, options, previous, random);
    }
}
