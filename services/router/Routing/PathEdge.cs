using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Routing;

/// <summary>One worker's range as a step from its first layer to the one after its last. Compared by identity.</summary>
internal sealed class PathEdge(int candidate, in PathCandidate worker, ShardOffer shard)
{
    /// <summary>
    /// Loads are added as whole parts of this, so that a sum does not depend on its order. It is a multiple of all small
    /// numbers and of powers of two: with the usual rooms, equal loads are equal sums.
    /// </summary>
    private const long LoadUnit = 720720L << 16;

    public int Candidate { get; } = candidate;

    public string Address { get; } = worker.Address;

    public string WorkerId { get; } = worker.WorkerId;

    public ShardOffer Shard { get; } = shard;

    /// <summary>Sessions relative to room.</summary>
    public long Load { get; } = worker.Sessions * LoadUnit / Math.Max(1, shard.MaxSessions);

    /// <summary>What stages of one path must agree in.</summary>
    public (NumericClass NumericClass, int VocabularySize, int LayerCount) Joint =>
        (Shard.NumericClass, Shard.VocabularySize, Shard.LayerCount);

    /// <summary>All that the candidates serve of a model.</summary>
    public static IEnumerable<PathEdge> Of(string model, IReadOnlyList<PathCandidate> candidates) =>
        from i in Enumerable.Range(0, candidates.Count)
        from shard in candidates[i].Shards
        where shard.Model == model && shard.IsValid
        select new PathEdge(i, candidates[i], shard);
}
