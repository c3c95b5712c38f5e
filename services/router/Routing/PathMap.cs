using System.Collections.Immutable;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Routing;

/// <summary>
/// Who serves a model at one instant, laid out for <see cref="PathPolicy"/>: built once per change of the live map, read
/// by any number of choices. Immutable. The order of candidates never matters.
/// </summary>
internal sealed class PathMap
{
    private PathMap(string model, ImmutableArray<PathGroup> groups, ImmutableArray<PathNode> nodes)
    {
        Model = model;
        Groups = groups;
        Nodes = nodes;
    }

    /// <summary>The model's name.</summary>
    public string Model { get; }

    /// <summary>Shards that may be joined with each other, in a fixed order.</summary>
    public ImmutableArray<PathGroup> Groups { get; }

    /// <summary>All shards of the model, group by group: loads are given in this order.</summary>
    public ImmutableArray<PathNode> Nodes { get; }

    /// <summary>Lays out what the candidates serve of a model.</summary>
    public static PathMap Build(string model, IReadOnlyList<PathCandidate> candidates, PathOptions options)
    {
        var nodes = new List<PathNode>();
        for (var i = 0; i < candidates.Count; i++)
        {
            foreach (var shard in candidates[i].Shards)
            {
                if (shard.Offer.Model == model && shard.Offer.IsValid)
                {
                    nodes.Add(new PathNode(i, candidates[i], shard));
                }
            }
        }

        var ordered = ImmutableArray.CreateBuilder<PathNode>(nodes.Count);
        var groups = ImmutableArray.CreateBuilder<PathGroup>();
        foreach (var group in nodes.GroupBy(static node => Joint.Of(node.Offer)).OrderBy(static group => group.Key))
        {
            PathNode[] members = [.. group
                .OrderBy(static node => node.Offer.Range.Start)
                .ThenBy(static node => node.WorkerId, StringComparer.Ordinal)
                .ThenBy(static node => node.Offer.ShardId, StringComparer.Ordinal)
                .ThenBy(static node => node.Worker.Address, StringComparer.Ordinal)
                .ThenBy(static node => node.Offer.Range.End)];
            groups.Add(new PathGroup(members, ordered.Count, group.Key.LayerCount, options));
            ordered.AddRange(members);
        }

        return new PathMap(model, groups.DrainToImmutable(), ordered.DrainToImmutable());
    }

    /// <summary>What stages of one path must agree in.</summary>
    private readonly record struct Joint(NumericClass NumericClass, int VocabularySize, int LayerCount) : IComparable<Joint>
    {
        public static Joint Of(ShardOffer offer) => new(offer.NumericClass, offer.VocabularySize, offer.LayerCount);

        public int CompareTo(Joint other)
        {
            var order = string.CompareOrdinal(NumericClass.WeightsHash, other.NumericClass.WeightsHash);
            order = order != 0 ? order : string.CompareOrdinal(NumericClass.Fingerprint, other.NumericClass.Fingerprint);
            order = order != 0 ? order : VocabularySize.CompareTo(other.VocabularySize);
            return order != 0 ? order : LayerCount.CompareTo(other.LayerCount);
        }
    }
}

/// <summary>A shard of a <see cref="PathMap"/>.</summary>
/// <param name="Candidate">Its worker's index among the candidates.</param>
/// <param name="Worker">Its worker.</param>
/// <param name="Shard">The shard.</param>
internal sealed record PathNode(int Candidate, PathCandidate Worker, ShardCandidate Shard)
{
    public ShardOffer Offer => Shard.Offer;

    public string WorkerId => Worker.WorkerId;

    /// <summary>Names the shard.</summary>
    public ShardKey Key { get; } = new(Worker.WorkerId, Shard.Offer.ShardId);
}
