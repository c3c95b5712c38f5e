using System.Collections.Immutable;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>A worker that a path may lead over.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="WorkerId">By which links between workers know it.</param>
/// <param name="Shards">What it serves; empty when it takes no new sessions.</param>
/// <param name="Sessions">This router's sessions on it.</param>
internal readonly record struct PathCandidate(string Address, string WorkerId, ImmutableArray<ShardOffer> Shards, int Sessions);

/// <summary>One stage of a chosen path.</summary>
/// <param name="Candidate">The candidate's index.</param>
/// <param name="Shard">Which of its shards.</param>
internal readonly record struct PathHop(int Candidate, ShardOffer Shard);
