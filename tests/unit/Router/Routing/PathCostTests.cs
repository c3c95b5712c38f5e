using System.Collections.Immutable;
using CsCheck;
using Parallax.Router.Routing;
using static Parallax.UnitTests.Router.Routing.PathMaps;

namespace Parallax.UnitTests.Router.Routing;

/// <summary>Paths over workers whose speed is known.</summary>
public class PathCostTests
{
    [Fact]
    public void Defect19_StagesCostTheirWholeRange_NotALayer()
    {
        // 36 layers at 1 ms in one place against 0.6 ms in two with a round trip of 1: 36 ms against 22.6.
        var (whole, head, tail) = (Of36(0, 36, 36.0), Of36(0, 18, 10.8), Of36(18, 36, 10.8));
        PathCandidate[] workers = [Node("a", whole), Node("b", head).WithRtt(("c", 1)), Node("c", tail)];

        var choice = PathPolicy.Choose(Map(workers), Any, Plain);
        var ring = PathPolicy.Choose(PathMap.Build("demo", workers, new PathOptions()), Any, new PathOptions());

        Assert.Equal(["b", "c"], Ids(choice));
        Assert.Equal(22.6, choice!.Cost.StepMs, 9);
        Assert.Equal(["b", "c"], Ids(ring));
        Assert.Equal(22.6, ring!.Cost.StepMs, 9); // half a round trip there and half a round trip back
    }

    [Fact]
    public void Defect16_UnknownRoundTrips_AreAnEstimate()
    {
        PathCandidate[] workers = [Node("a", Timed(0, 10, 1)), Node("b", Timed(10, 20, 1))];
        var options = new PathOptions { UnknownRoundTripMs = 20, UnknownRoundTripPenalty = 1.5 };

        var choice = PathPolicy.Choose(PathMap.Build("demo", workers, options), Any, options);

        Assert.Equal(["a", "b"], Ids(choice));
        Assert.Equal(30, choice!.Cost.LinkMs, 9);
    }

    [Fact]
    public void UnknownRoundTrip_IsDearerThanTheMedianOfTheKnown_AndCheaperThanAFarOne()
    {
        PathCandidate[] workers =
        [
            Node("a", Timed(0, 10, 1)).WithRtt(("c", 10), ("d", 50)),
            Node("b", Timed(10, 20, 1)),
            Node("c", Timed(10, 20, 1)),
            Node("d", Timed(10, 20, 1)),
        ];

        Assert.Equal(["a", "c"], Ids(PathPolicy.Choose(Map(workers), Any, Plain)));
        Assert.Equal(["a", "d"], Ids(PathPolicy.Choose(Map(workers[0], workers[1], workers[3]), Any, Plain)));

        // The pairs that are known are near each other: 15 is assumed against 400.
        PathCandidate[] near =
        [
            Node("a", Timed(0, 10, 1)).WithRtt(("d", 400)),
            Node("b", Timed(10, 20, 1)),
            Node("d", Timed(10, 20, 1)),
            Node("e", Timed(0, 10, 500)).WithRtt(("b", 10), ("d", 10)),
        ];
        Assert.Equal(["a", "b"], Ids(PathPolicy.Choose(Map(near), Any, Plain with { UnknownRoundTripPenalty = 1.5 })));
    }

    [Fact]
    public void RoundTrip_OfEitherSide_WillDo()
    {
        PathCandidate[] workers =
        [
            Node("a", Timed(0, 10, 1)).WithRtt(("b", 30)),
            Node("b", Timed(10, 20, 1)),
            Node("c", Timed(10, 20, 1)).WithRtt(("a", 5)),
        ];

        Assert.Equal(["a", "c"], Ids(PathPolicy.Choose(Map(workers), Any, Plain)));
    }

    [Fact]
    public void Unreachable_ByEitherSide_AreNeverNeighbours()
    {
        var (a, b, c) = (Node("a", Timed(0, 10, 1)), Node("b", Timed(10, 20, 1)), Node("c", Timed(10, 20, 90)));

        Assert.Equal(["a", "c"], Ids(PathPolicy.Choose(Map(a with { Unreachable = Set("b") }, b, c), Any, Plain)));
        Assert.Equal(["a", "c"], Ids(PathPolicy.Choose(Map(a, b with { Unreachable = Set("a") }, c), Any, Plain)));
        Assert.Null(PathPolicy.Choose(Map(a with { Unreachable = Set("b") }, b), Any, Plain));
        Assert.Contains("can reach each other", PathProblem.Describe(Map(a with { Unreachable = Set("b") }, b)), StringComparison.Ordinal);

        // Also when no speeds are known.
        var idle = Node("a", new ShardCandidate(Offer(0, 10))) with { Unreachable = Set("b") };
        Assert.Null(PathPolicy.Choose(Map(idle, Node("b", new ShardCandidate(Offer(10, 20)))), Any, Plain));
    }

    [Fact]
    public void Unreachable_HeadAndTail_CloseNoRing()
    {
        PathCandidate[] workers =
        [
            Node("a", Timed(0, 5, 1)) with { Unreachable = Set("c") },
            Node("b", Timed(5, 15, 1)),
            Node("c", Timed(15, 20, 1)),
            Node("d", Timed(15, 20, 70)),
        ];

        Assert.Equal(["a", "b", "d"], Ids(PathPolicy.Choose(Map(workers), Any, Plain)));
    }

    [Fact]
    public void ClosingHop_Counts()
    {
        PathCandidate[] workers =
        [
            Node("a", Timed(0, 5, 1)).WithRtt(("b", 2), ("c", 100), ("d", 4)),
            Node("b", Timed(5, 15, 1)).WithRtt(("c", 2), ("d", 6)),
            Node("c", Timed(15, 20, 1)),
            Node("d", Timed(15, 20, 1)),
        ];
        var options = Plain with { ClosingHopWeight = 1, RoundTripShare = 0.5 };

        var choice = PathPolicy.Choose(PathMap.Build("demo", workers, options), Any, options);

        Assert.Equal(["a", "b", "c"], Ids(PathPolicy.Choose(Map(workers), Any, Plain)));
        Assert.Equal(["a", "b", "d"], Ids(choice));
        Assert.Equal(1 + 3 + 2, choice!.Cost.LinkMs, 9);
    }

    [Fact]
    public void Batch_ThatTheSessionWouldJoin_Decides()
    {
        var speed = StageSpeed.Unknown with { Steps = [new(1, 10), new(8, 17), new(16, 40)] };
        var busy = new ShardCandidate(Offer(0, 20)) { Speed = speed, Load = new StageLoad(7) };

        Assert.Equal(17, PathPolicy.Choose(Map(Node("a", busy)), Any, Plain)!.Cost.ComputeMs, 9);
        Assert.Equal(["b"], Ids(PathPolicy.Choose(Map(Node("a", busy), Node("b", Timed(0, 20, 16.9))), Any, Plain)));
        Assert.Equal(["a"], Ids(PathPolicy.Choose(Map(Node("a", busy with { Load = new StageLoad(6) }), Node("b", Timed(0, 20, 16.9))), Any, Plain)));
        Assert.Equal(17 + (23.0 / 8), PathPolicy.Choose(Map(Node("a", busy)), Any with { Sessions = 2 }, Plain)!.Cost.ComputeMs, 9);
    }

    [Fact]
    public void Queue_IsSpreadOverTheAnswer()
    {
        // Four run, two wait: the new one is the third to get a place, and places come up every quarter of an answer.
        var full = new ShardCandidate(Offer(0, 20)) { Speed = Steady(8), Load = new StageLoad(6, Waiting: 2) };

        var choice = PathPolicy.Choose(Map(Node("a", full)), Any, Plain);

        Assert.Equal(8.0 * 3 / 4, choice!.Cost.QueueMs, 9);
        Assert.Equal(8 + 6, choice.Cost.TotalMs, 9);
    }

    [Fact]
    public void PromptsThatCameBefore_AreWaitedFor()
    {
        var shard = Timed(0, 20, 10) with { Speed = Steady(10) with { PrefillMsPerToken = 2 } };
        PathCandidate[] workers = [Node("a", shard with { Load = new StageLoad(1, PromptTokens: 64) }), Node("b", shard with { Speed = shard.Speed with { Steps = [new(1024, 12)] } })];
        var request = Any with { PromptTokens = 32, MaxTokens = 32 };

        Assert.Equal(["b"], Ids(PathPolicy.Choose(Map(workers), request, Plain)));
        var only = PathPolicy.Choose(Map(workers[0]), request, Plain)!;
        Assert.Equal((4.0, 2.0), (only.Cost.QueueMs, only.Cost.PrefillMs));
        Assert.Equal(4.0, PathPolicy.Choose(Map(workers[0]), request with { CachedTokens = new Dictionary<string, int> { ["a"] = 32 } }, Plain)!.Cost.QueueMs);
    }

    [Fact]
    public void CachedPrefix_SavesPrefill()
    {
        var shard = Timed(0, 20, 10) with { Speed = Steady(10) with { PrefillMsPerToken = 2 } };
        PathCandidate[] workers = [Node("a", shard), Node("b", shard with { Speed = shard.Speed with { Steps = [new(1024, 12)] } })];
        var request = Any with { PromptTokens = 64, MaxTokens = 32 };

        var cold = PathPolicy.Choose(Map(workers), request, Plain);
        var warm = PathPolicy.Choose(Map(workers), request with { CachedTokens = new Dictionary<string, int> { ["b"] = 48 } }, Plain);

        Assert.Equal(("a", 4.0), (Ids(cold).Single(), cold!.Cost.PrefillMs));
        Assert.Equal(("b", 1.0), (Ids(warm).Single(), warm!.Cost.PrefillMs));
    }

    [Fact]
    public void Transfer_CountsPerHop()
    {
        PathCandidate[] workers = [Node("a", Timed(0, 10, 1)).WithRtt(("b", 0)), Node("b", Timed(10, 20, 1)), Node("c", Timed(0, 20, 3))];
        var options = Plain with { LinkBytesPerSecond = 1e6 };

        Assert.Equal(["a", "b"], Ids(PathPolicy.Choose(Map(workers), Any with { HiddenBytes = 900 }, options)));
        Assert.Equal(["c"], Ids(PathPolicy.Choose(Map(workers), Any with { HiddenBytes = 1100 }, options)));
        var prompt = PathPolicy.Choose(Map(workers[0], workers[1]), new PathRequest { HiddenBytes = 1000, PromptTokens = 60, MaxTokens = 20 }, options);
        Assert.Equal(4, prompt!.Cost.LinkMs, 9); // each answer token carries three of the prompt
    }

    [Fact]
    public void DeviceEstimate_StandsInUntilItIsMeasured()
    {
        // 10 GB: 100 ms to read at 100 GB/s, or 1 ms of work per token at 10 TFLOPS.
        var estimated = StageSpeed.Unknown with { WeightBytes = 10_000_000_000, Tflops = 10, BandwidthGBps = 100 };

        Assert.Equal(100, estimated.StepMs(1));
        Assert.Equal(200, estimated.StepMs(200));
        Assert.Equal(1, estimated.PrefillMs());
        Assert.Equal(7, (estimated with { Steps = [new(1, 7)] }).StepMs(1));
        Assert.Null((estimated with { Tflops = 0, BandwidthGBps = 0 }).StepMs(1));
        Assert.Null(StageSpeed.Unknown.PrefillMs());
    }

    [Fact]
    public void Measured_BetweenAndBeyondBuckets()
    {
        var one = StageSpeed.Unknown with { Steps = [new(4, 8)] };
        var two = StageSpeed.Unknown with { Steps = [new(2, 10), new(4, 12)] };

        Assert.Equal([8, 8, 8 + (4 * 0.5)], new[] { 1, 4, 8 }.Select(batch => one.StepMs(batch)!.Value));
        Assert.Equal([10, 10, 11, 12, 16], new[] { 1, 2, 3, 4, 8 }.Select(batch => two.StepMs(batch)!.Value));
    }

    /// <summary>50 ms for 20 layers is the slowest known: so long is assumed, and nothing is gained by saying nothing.</summary>
    [Fact]
    public void SpeedsKnownOfSomeOnly_TheOthersCountAsTheSlowest()
    {
        var unknown = new ShardCandidate(Offer(0, 20));

        Assert.Equal(["a"], Ids(PathPolicy.Choose(Map(Node("a", Timed(0, 20, 50)), Node("b", unknown)), Any, Plain)));
        // Slowest is 6 ms a layer, so 120 ms; the other way takes 110 and a hop.
        PathCandidate[] parts = [Node("a", Timed(0, 10, 50)).WithRtt(("c", 9)), Node("c", Timed(10, 20, 60)), Node("b", unknown)];
        Assert.Equal(["a", "c"], Ids(PathPolicy.Choose(Map(parts), Any, Plain)));
        Assert.Equal(["b"], Ids(PathPolicy.Choose(Map(parts[0].WithRtt(("c", 11)), parts[1], parts[2]), Any, Plain)));
        Assert.Equal(
            ["d"],
            Ids(PathPolicy.Choose(Map(Node("a", Timed(0, 20, 50)), Node("b", unknown with { Load = new StageLoad(9) }), Node("d", Timed(0, 20, 49))), Any, Plain)));
    }

    [Fact]
    public void Parts_AddUpToWhatTheSearchMinimised()
    {
        var workers = Cluster(new Random(5), 30);
        var request = new PathRequest { PromptTokens = 40, MaxTokens = 20, HiddenBytes = 2000 };
        var options = new PathOptions { NearShare = 0 };

        var choice = PathPolicy.Choose(PathMap.Build("demo", workers, options), request, options)!;

        Assert.Equal(BruteForce(workers, request, options)!.Value.Cost, choice.Cost.TotalMs, 6);
        Assert.Contains("ms a token", choice.Cost.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Against trying everything: as cheap, and the same whatever the order of candidates.</summary>
    [Fact]
    public void Choose_SmallMaps_IsWhatEnumerationFinds() => Gen.Int[0, int.MaxValue].Sample(
        seed =>
        {
            var random = new Random(seed);
            var workers = Cluster(random, random.Next(0, 12));
            var request = new PathRequest { PromptTokens = random.Next(40), MaxTokens = 1 + random.Next(60), HiddenBytes = random.Next(4000) };
            var options = new PathOptions { NearShare = 0.05, ClosingHopWeight = random.Next(3) / 2.0 };

            var choice = PathPolicy.Choose(PathMap.Build("demo", workers, options), request, options);

            if (BruteForce(workers, request, options) is not var (cost, _))
            {
                Assert.Null(choice);
                return;
            }

            Assert.NotNull(choice);
            Assert.Equal(cost, choice.Cost.TotalMs, tolerance: 1e-6);
            for (var i = 0; i < 3; i++)
            {
                var shuffled = Shuffled(workers, seed + i);
                Assert.Equal(choice.Shards, PathPolicy.Choose(PathMap.Build("demo", shuffled, options), request, options)!.Shards);
                var drawn = PathPolicy.Choose(PathMap.Build("demo", shuffled, options), request, options, random: (ulong)(seed + i))!;
                Assert.Equal(drawn.Shards, PathPolicy.Choose(PathMap.Build("demo", workers, options), request, options, random: (ulong)(seed + i))!.Shards);
                Assert.InRange(drawn.Cost.TotalMs, cost - 1e-6, (cost * 1.05) + 1e-6);
                Assert.Equal(drawn.Hops.Length, drawn.Shards.Select(static shard => shard.WorkerId).Distinct().Count());
            }
        },
        iter: 3000);

    private static HashSet<string> Set(params string[] ids) => ids.ToHashSet();

    private static ShardCandidate Of36(int start, int end, double stepMs) =>
        new(Offer(start, end) with { LayerCount = 36 }) { Speed = Steady(stepMs) };

    /// <summary>Workers of up to two shards of 6 layers, some of another class, some full, some that cannot reach each other.</summary>
    private static List<PathCandidate> Cluster(Random random, int count)
    {
        var workers = new List<PathCandidate>();
        for (var i = 0; i < count; i++)
        {
            var shards = Enumerable.Range(0, random.Next(4) == 0 ? 2 : 1).Select(shard =>
            {
                var start = random.Next(6);
                var offer = Offer(start, Math.Min(6, start + 1 + random.Next(4))) with
                {
                    LayerCount = 6,
                    ShardId = $"{shard}",
                    NumericClass = Class(random.Next(5) == 0 ? "11" : "00"),
                };
                return new ShardCandidate(offer)
                {
                    Speed = new StageSpeed([new(1, 1 + random.Next(20)), new(8, 21 + random.Next(20))], random.Next(3), 0, 0, 0),
                    Load = new StageLoad(random.Next(11), random.Next(3)),
                };
            });
            var roundTrips = Enumerable.Range(0, count).Where(_ => random.Next(4) > 0).ToDictionary(static j => $"w{j:00}", _ => random.NextDouble() * 20);
            var unreachable = Enumerable.Range(0, count).Where(_ => random.Next(20) == 0).Select(static j => $"w{j:00}").ToHashSet();
            workers.Add(Node($"w{i:00}", [.. shards]) with { RoundTrips = roundTrips, Unreachable = unreachable });
        }

        return workers;
    }

    private static (double Cost, ImmutableArray<ShardKey> Path)? BruteForce(List<PathCandidate> workers, PathRequest request, PathOptions options)
    {
        (double Cost, ImmutableArray<ShardKey> Path)? best = null;
        foreach (var group in workers.SelectMany(static worker => worker.Shards).Select(static shard => shard.Offer.NumericClass).Distinct())
        {
            var members = workers.SelectMany(worker => worker.Shards.Where(shard => shard.Offer.NumericClass == group).Select(shard => (Worker: worker, Shard: shard))).ToList();
            var known = new List<double>();
            foreach (var from in members)
            {
                foreach (var to in members)
                {
                    var follows = from.Shard.Offer.Range.End == to.Shard.Offer.Range.Start;
                    var closes = from.Shard.Offer.Range.End == 6 && to.Shard.Offer.Range.Start == 0 && from != to;
                    if ((follows || closes) && Rtt(from.Worker, to.Worker) is { } ms && double.IsFinite(ms))
                    {
                        known.Add(ms);
                    }
                }
            }

            known.Sort();
            var unknown = (known.Count > 0 ? known[known.Count / 2] : options.UnknownRoundTripMs) * options.UnknownRoundTripPenalty;
            Extend([], 0, 0);

            void Extend(ImmutableArray<(PathCandidate Worker, ShardCandidate Shard)> path, int layer, double cost)
            {
                if (layer == 6)
                {
                    cost += path.Length == 1 ? 0 : Hop(path[^1].Worker, path[0].Worker) * options.ClosingHopWeight;
                    if (double.IsFinite(cost) && (best is null || cost < best.Value.Cost))
                    {
                        best = (cost, [.. path.Select(static stage => new ShardKey(stage.Worker.WorkerId, stage.Shard.Offer.ShardId))]);
                    }

                    return;
                }

                foreach (var next in members.Where(next => next.Shard.Offer.Range.Start == layer && path.All(stage => stage.Worker != next.Worker)))
                {
                    if (next.Shard.Load.Sessions + 1 <= next.Shard.Offer.MaxSessions)
                    {
                        var stage = StageCost.Of(next.Shard.Speed, next.Shard.Load, request, 0)!.Value.TotalMs;
                        var transfer = request.HiddenBytes * (1 + ((double)request.PromptTokens / request.MaxTokens)) / options.LinkBytesPerSecond * 1000;
                        Extend(
                            path.Add(next),
                            next.Shard.Offer.Range.End,
                            cost + stage + (path.IsEmpty ? 0 : Hop(path[^1].Worker, next.Worker) + transfer));
                    }
                }
            }

            double Hop(PathCandidate from, PathCandidate to) => (Rtt(from, to) ?? unknown) * options.RoundTripShare;
        }

        return best;
    }

    private static double? Rtt(PathCandidate from, PathCandidate to) =>
        from == to || from.Unreachable.Contains(to.WorkerId) || to.Unreachable.Contains(from.WorkerId) ? double.PositiveInfinity
        : from.RoundTrips.TryGetValue(to.WorkerId, out var there) ? there
        : to.RoundTrips.TryGetValue(from.WorkerId, out var back) ? back
        : null;
}
