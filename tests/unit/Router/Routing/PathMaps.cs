using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Router.Routing;

/// <summary>Candidates and maps in few words.</summary>
internal static class PathMaps
{
    public const int Layers = 20;

    /// <summary>Weighs as the cases are written: a hop costs its round trip, there is none back, nothing is about as good as the best.</summary>
    public static readonly PathOptions Plain = new()
    {
        RoundTripShare = 1,
        ClosingHopWeight = 0,
        NearShare = 0,
        KeepShare = 0,
        UnknownRoundTripMs = 0,
    };

    public static readonly PathRequest Any = new();

    public static NumericClass Class(string weights) => new(1, weights, ResidualPrecision.BF16, "cpu");

    public static ShardOffer Offer(int start, int end) => new("demo", new LayerRange(start, end), Layers, Class("00"), 100, 10, 258, "");

    /// <summary>A shard whose steps take so long at any batch.</summary>
    public static ShardCandidate Timed(int start, int end, double stepMs, int sessions = 0) => new(Offer(start, end))
    {
        Load = new StageLoad(sessions),
        Speed = Steady(stepMs),
    };

    public static StageSpeed Steady(double stepMs) => StageSpeed.Unknown with { Steps = [new MeasuredStep(1024, stepMs)] };

    public static PathCandidate Node(string id, params ShardCandidate[] shards) => new(id, id, [.. shards]);

    /// <summary>A worker with round trips to others, in milliseconds.</summary>
    public static PathCandidate WithRtt(this PathCandidate worker, params (string To, double Ms)[] roundTrips) =>
        worker with { RoundTrips = roundTrips.ToDictionary(static r => r.To, static r => r.Ms) };

    public static PathMap Map(params IReadOnlyList<PathCandidate> candidates) => PathMap.Build("demo", candidates, Plain);

    public static string[] Ids(PathChoice? choice) => [.. (choice?.Shards ?? []).Select(static shard => shard.WorkerId)];

    public static ImmutableArray<T> Shuffled<T>(IEnumerable<T> items, int seed)
    {
        var random = new Random(seed);
        return [.. items.OrderBy(_ => random.Next())];
    }
}
