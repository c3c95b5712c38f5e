using System.Collections.Immutable;
using CsCheck;
using Parallax.Router.Routing;
using static Parallax.UnitTests.Router.Routing.PathMaps;

namespace Parallax.UnitTests.Router.Routing;

/// <summary>Paths over workers that have cached parts of the prompt.</summary>
public sealed class PrefixPathTests
{
    private const int Prompt = 80;
    private static readonly PathRequest Request = new() { PromptTokens = Prompt, MaxTokens = 10 };

    [Fact]
    public void WeakestStage_DecidesWhatAPathSaves()
    {
        // 64 tokens in one stage and none in the other save nothing: 32 in both are worth a slower stage.
        PathCandidate[] workers =
        [
            Stage("a", 0, 10).WithRtt(("d", 100)), Stage("c", 0, 10, step: 11).WithRtt(("b", 100)), Stage("b", 10, 20).WithRtt(("a", 0)), Stage("d", 10, 20).WithRtt(("c", 0)),
        ];
        var choice = Choose(Map(workers), ("a", 64), ("c", 32), ("d", 32))!;
        Assert.Equal(["c", "d"], Ids(choice));
        Assert.Equal(32, choice.CachedTokens);
        Assert.Equal((Prompt - 32) * 2 / 10.0, choice.Cost.PrefillMs, 9);

        var alone = Choose(Map(workers), ("a", 64))!;
        Assert.Equal(["a", "b"], Ids(alone));
        Assert.Equal((0, Prompt * 2 / 10.0), (alone.CachedTokens, alone.Cost.PrefillMs));
    }

    [Fact]
    public void LostStage_IsReplacedByOneThatHasThePromptCached_WhateverTheKeptStagesHave()
    {
        var map = Map(Stage("a", 0, 10), Stage("b", 0, 10, step: 11), Stage("kept", 10, 20));
        var goesOn = Request with
        {
            Kept = new HashSet<(string, Contracts.Identifiers.LayerRange)> { ("kept", new(10, 20)) },
            CachedTokens = new Dictionary<string, int> { ["kept"] = Prompt },
        };
        Assert.Equal(["a", "kept"], Ids(PathPolicy.Choose(map, goesOn, Plain)));
        var cached = map.Nodes.Select(static node => node.WorkerId == "b" ? 64 : 0).ToArray();
        var choice = PathPolicy.Choose(map, goesOn.RefilledFrom(map, cached), Plain)!;
        Assert.Equal(["b", "kept"], Ids(choice));
        Assert.Equal((Prompt - 64) / 10.0, choice.Cost.PrefillMs, 9);
        Assert.Same(goesOn, goesOn.RefilledFrom(map, []));
    }

    [Fact]
    public void BlocksInTheKvCache_MakeOtherPathsNearlyAsWarm_OnceAnybodyHasMeasuredIt()
    {
        static PathCandidate Fetching(string id, double step, double restoreMs) => Node(id, new ShardCandidate(Offer(0, 20))
        {
            Speed = Steady(step) with { PrefillMsPerToken = 1, RestoreMsPerToken = restoreMs },
        });

        // 64 tokens computed cost 6.4 ms a token of the answer, fetched 0.64: the warm one is 2 ms slower.
        Assert.Equal(["warm"], Ids(Choose(Map(Fetching("cold", 10, 0), Fetching("warm", 12, 0)), ("warm", 64))));
        var choice = Choose(Map(Fetching("cold", 10, 0), Fetching("warm", 12, 0.1)), ("warm", 64))!;
        Assert.Equal(["cold"], Ids(choice));
        Assert.Equal(64, choice.CachedTokens);
        Assert.Equal(((Prompt - 64) + 6.4) / 10, choice.Cost.PrefillMs, 9);
        Assert.Equal(["warm"], Ids(Choose(Map(Fetching("cold", 11.5, 0), Fetching("warm", 12, 0.1)), ("warm", 64))));

        // Slower than computing: it is computed. Nobody has some of the layers: it cannot come.
        Assert.Equal(Prompt / 10.0, Choose(Map(Fetching("cold", 1, 5), Fetching("warm", 12, 5)), ("warm", 64))!.Cost.PrefillMs, 9);
        Assert.Equal(0, Choose(Map(Fetching("cold", 1, 0.1), Stage("half", 0, 10)), ("half", 64))!.CachedTokens);
    }

    [Fact]
    public void BlocksInTheKvCache_OfDifferentCuts_AreCountedByLayers()
    {
        static PathCandidate Fetching(string id, int start, int end) => Node(id, new ShardCandidate(Offer(start, end))
        {
            Speed = Steady(1) with { PrefillMsPerToken = 1, RestoreMsPerToken = 0.1 },
        });

        // Two stages have 64 and 32 tokens of layers that one cold worker has all of: it gets 32.
        var map = Map(Fetching("cold", 0, 20), Stage("a", 0, 12, step: 50), Stage("b", 12, 20, step: 50));
        var choice = Choose(map, ("a", 64), ("b", 32))!;
        Assert.Equal(["cold"], Ids(choice));
        Assert.Equal(32, choice.CachedTokens);
        Assert.Equal(((Prompt - 32) + 3.2) / 10, choice.Cost.PrefillMs, 9);
    }

    [Fact]
    public void LoadedWarmPath_GivesWayToAColdOne_WhenWaitingCostsMoreThanPrefill()
    {
        var map = Map(Stage("cold", 0, 20), Stage("warm", 0, 20, step: 16));
        Assert.Equal(["warm"], Ids(Choose(map, ("warm", 64)))); // 10 + 8 without, 16 + 1.6 with: 6.4 saved for 6 more
        Assert.Equal(["cold"], Ids(Choose(Map(Stage("cold", 0, 20), Stage("warm", 0, 20, step: 16.5)), ("warm", 64))));
        Assert.Equal(["cold"], Ids(Choose(map)));
    }

    [Fact]
    public void RandomMaps_TheCheapestOfAllPathsIsFound()
    {
        var worker = Gen.Select(Gen.Int[0, 3], Gen.Int[1, 40], Gen.Int[0, 3]);
        Gen.Select(worker.Array[1, 4], worker.Array[1, 4], worker.Array[0, 3]).Sample(
            (heads, tails, wholes) =>
            {
                PathCandidate[] candidates =
                [
                    .. heads.Select(static (one, i) => Stage($"h{i}", 0, 10, one.Item2)),
                    .. tails.Select(static (one, i) => Stage($"t{i}", 10, 20, one.Item2)),
                    .. wholes.Select(static (one, i) => Stage($"w{i}", 0, 20, one.Item2)),
                ];
                (string, int)[] cached =
                [
                    .. heads.Select(static (one, i) => ($"h{i}", one.Item1 * 16)),
                    .. tails.Select(static (one, i) => ($"t{i}", one.Item1 * 16)),
                    .. wholes.Select(static (one, i) => ($"w{i}", one.Item1 * 16)),
                ];
                var best = double.PositiveInfinity;
                foreach (var whole in wholes)
                {
                    best = Math.Min(best, whole.Item2 + ((Prompt - (whole.Item1 * 16)) / 10.0));
                }

                foreach (var head in heads)
                {
                    foreach (var tail in tails)
                    {
                        best = Math.Min(best, head.Item2 + tail.Item2 + ((Prompt - (Math.Min(head.Item1, tail.Item1) * 16)) * 2 / 10.0));
                    }
                }

                var choice = Choose(Map(candidates), cached)!;
                Assert.Equal(best, choice.Cost.TotalMs, 6);
            },
            iter: 500);
    }

    [Fact]
    public void MoreLevelsThanAreLookedAt_AreRoundedDown_AndTheChoiceIsStillAPath()
    {
        var map = Map([.. Enumerable.Range(0, 5).SelectMany(static i => new[] { Stage($"h{i}", 0, 10), Stage($"t{i}", 10, 20) })]);
        var choice = Choose(map, [.. Enumerable.Range(0, 5).SelectMany(static i => new[] { ($"h{i}", 16 * i), ($"t{i}", 16 * i) })])!;
        Assert.Equal(["h4", "t4"], Ids(choice));
        Assert.Equal(64, choice.CachedTokens);
    }

    [Fact]
    public void HotPrefix_Of16Clients_SpreadsOverFourPipelines()
    {
        // A pipeline has the prefix cached from its first request on; 1,008 tokens of it save 2 ms a token, a further session costs 0.9.
        PathCandidate[] workers = [.. Enumerable.Range(0, 8).Select(static i =>
            Node($"w{i}", new ShardCandidate(Offer(i / 4 * 10, (i / 4 * 10) + 10) with { ContextLimit = 4096, MaxSessions = 64 })
            {
                Speed = StageSpeed.Unknown with { Steps = [new(1, 10), new(8, 13)], PrefillMsPerToken = 0.25 },
            })
            .WithRtt([.. Enumerable.Range(0, 8).Select(j => ($"w{j}", i % 4 == j % 4 ? 0.1 : 50))]))];
        var map = PathMap.Build("demo", workers, Plain);
        var ledger = new LoadLedger();
        var warm = new HashSet<string>(StringComparer.Ordinal);
        var chosen = new List<string>();
        var sessions = new List<SessionReservation>();
        for (var client = 0; client < 16; client++)
        {
            var request = new PathRequest { PromptTokens = 1024, MaxTokens = 256, CachedByNode = map.Nodes.Select(node => warm.Contains(node.WorkerId) ? 1008 : 0).ToArray() };
            var (choice, reservation) = ledger.Reserve(map, request, loads => PathPolicy.Choose(map, loads, request, Plain, previous: default, random: null))!.Value;
            warm.UnionWith(Ids(choice));
            chosen.Add(string.Join('-', Ids(choice)));
            sessions.Add(reservation.Take());
            sessions[^1].PromptComputed();
        }

        Assert.Equal(["w0-w4", "w0-w4", "w0-w4"], chosen.Take(3)); // warm, and not loaded enough yet
        Assert.Equal([4, 4, 4, 4], chosen.CountBy(static path => path).Select(static path => path.Value));
        sessions.ForEach(static session => session.Dispose());
    }

    /// <summary>What no speed of decoding shows: long prompts, one after the other, that nobody has cached.</summary>
    [Fact]
    public void LongPrompts_AtOnce_SpreadBeforeAnyIsComputed()
    {
        PathCandidate[] workers = [.. Enumerable.Range(0, 4).Select(static i =>
            Node($"w{i}", new ShardCandidate(Offer(0, 20) with { ContextLimit = 4096, MaxSessions = 64 })
            {
                Speed = StageSpeed.Unknown with { Steps = [new(1, 10), new(8, 10.1)], PrefillMsPerToken = 0.25 },
            }))];
        var map = PathMap.Build("demo", workers, Plain);
        var ledger = new LoadLedger();
        var request = new PathRequest { PromptTokens = 1024, MaxTokens = 256 };
        var chosen = new List<string>();
        for (var client = 0; client < 8; client++)
        {
            var (choice, _) = ledger.Reserve(map, request, loads => PathPolicy.Choose(map, loads, request, Plain, previous: default, random: null))!.Value;
            chosen.AddRange(Ids(choice));
        }

        Assert.Equal(["w0", "w1", "w2", "w3"], chosen[..4]);
        Assert.Equal([2, 2, 2, 2], chosen.CountBy(static path => path).Select(static path => path.Value));
    }

    [Fact]
    public void WithoutSpeeds_CachedPrefixesChangeNothing()
    {
        PathCandidate[] workers = [Node("a", new ShardCandidate(Offer(0, 20))), Node("b", new ShardCandidate(Offer(0, 20)))];
        Assert.Equal(["a"], Ids(Choose(Map(workers), ("b", 64))));
    }

    [Fact]
    public void Previous_IsKeptByWhatItCostsWithItsCache()
    {
        var options = Plain with { KeepShare = 0.1 };
        var map = Map(Stage("a", 0, 20, step: 10), Stage("b", 0, 20, step: 10));
        ImmutableArray<ShardKey> last = [new ShardKey("b", "")];
        Assert.Equal(["b"], Ids(PathPolicy.Choose(map, Request with { CachedByNode = new[] { 64, 64 } }, options, last)));
        Assert.Equal(["a"], Ids(PathPolicy.Choose(map, Request with { CachedByNode = new[] { 64, 0 } }, options, last)));
        Assert.Equal(["b"], Ids(PathPolicy.Choose(map, Request with { CachedByNode = new[] { 0, 16 } }, options, last)));
    }

    [Fact]
    public void PromptPrefix_LeavesTheLastTokensBlockOut()
    {
        var prefix = new PromptPrefix([.. Enumerable.Range(0, 64)], "salt");
        Assert.Equal(3, prefix.Chain(Class("00")).Length);
        Assert.Equal(4, new PromptPrefix([.. Enumerable.Range(0, 65)], "salt").Chain(Class("00")).Length);
        Assert.True(prefix.Chain(Class("00")).SequenceEqual(Parallax.Runtime.KvCache.BlockChain.Of(Class("00"), "salt", [.. Enumerable.Range(0, 48)], 3)));
        Assert.False(prefix.Chain(Class("00")).SequenceEqual(prefix.Chain(Class("01"))));
        Assert.Equal(0, new PromptPrefix([], "").Chain(Class("00")).Length);
    }

    private static PathCandidate Stage(string id, int start, int end, double step = 10) => Node(id, new ShardCandidate(Offer(start, end))
    {
        Speed = Steady(step) with { PrefillMsPerToken = 1 },
    });

    private static PathChoice? Choose(PathMap map, params (string Worker, int Tokens)[] cached)
    {
        var tokens = cached.ToDictionary(static one => one.Worker, static one => one.Tokens);
        return PathPolicy.Choose(map, Request with { CachedByNode = map.Nodes.Select(node => tokens.GetValueOrDefault(node.WorkerId)).ToArray() }, Plain);
    }
}
