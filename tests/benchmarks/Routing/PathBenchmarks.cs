using BenchmarkDotNet.Attributes;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Routing;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.Benchmarks.Routing;

/// <summary>
/// The choice of a path on a map where every stage has as many replicas as the workers allow, all about as fast, so that
/// next to nothing can be left out of the search; and laying out the map, which is done when it changes.
/// </summary>
[MemoryDiagnoser]
public class PathBenchmarks
{
    private readonly PathOptions _options = new();
    private readonly PathRequest _request = new() { PromptTokens = 200, MaxTokens = 200, HiddenBytes = 8192 };
    private PathCandidate[] _candidates = [];
    private PathMap _map = null!;
    private StageLoad[] _loads = [];
    private ulong _random;
    private PathRequest _warm = new();

    [Params(16, 256, 512)]
    public int Workers { get; set; }

    [Params(2, 3, 4, 8)]
    public int Stages { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var random = new Random(7);
        var numerics = new NumericClass(1, "00", ResidualPrecision.BF16, "cpu");
        _candidates = [.. Enumerable.Range(0, Workers).Select(i =>
        {
            var stage = i % Stages;
            var offer = new ShardOffer("m", new LayerRange(stage, stage + 1), Stages, numerics, 4096, 256, 1000, "s");
            var shard = new ShardCandidate(offer)
            {
                Speed = StageSpeed.Unknown with { Steps = [new(1, 10 + random.NextDouble()), new(8, 14), new(64, 40)], PrefillMsPerToken = 0.5 },
                Load = new StageLoad(random.Next(16)),
            };
            return new PathCandidate($"w{i:0000}", $"w{i:0000}", [shard])
            {
                RoundTrips = Enumerable.Range(0, Workers).ToDictionary(static j => $"w{j:0000}", _ => random.NextDouble() * 2),
            };
        })];
        _map = PathMap.Build("m", _candidates, _options);
        _loads = [.. _map.Nodes.Select(static node => node.Shard.Load)];
        _warm = _request with { CachedByNode = _map.Nodes.Select((_, i) => i % 4 * 64).ToArray() };
    }

    [Benchmark]
    public int Choose() => PathPolicy.Choose(_map, _loads, _request, _options, previous: default, random: ++_random)!.Hops.Length;

    /// <summary>With a quarter of the workers each at 0, 64, 128 and 192 cached tokens: as many levels as are looked at.</summary>
    [Benchmark]
    public int ChooseWithCachedPrefixes() => PathPolicy.Choose(_map, _loads, _warm, _options, previous: default, random: ++_random)!.Hops.Length;

    [Benchmark]
    public int LayOut() => PathMap.Build("m", _candidates, _options).Nodes.Length;
}
