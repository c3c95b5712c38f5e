using System.Collections.Immutable;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>
/// The members as <see cref="PathPolicy"/> sees them, laid out again only when something has changed. Thread-safe.
/// </summary>
/// <param name="options">How paths are weighed.</param>
/// <param name="clock">Clock.</param>
/// <param name="withLeaving">Whether workers that are about to leave count, too, and shards that are about to go, for sessions that they hold.</param>
internal sealed class LiveMap(PathOptions options, TimeProvider clock, bool withLeaving = false)
{
    /// <summary>
    /// New figures alone (speeds, round trips) may wait so long, since many workers report many times a second; who is
    /// there and what it serves never waits. Loads are no part of it.
    /// </summary>
    private static readonly TimeSpan FiguresMayWait = TimeSpan.FromMilliseconds(100);

    private volatile State? _state;

    /// <summary>The map of a model now.</summary>
    public (PathMap Map, ImmutableArray<Member> Members) At(string model, ImmutableArray<Member> members)
    {
        var now = clock.GetTimestamp();
        var state = _state;
        if (state is null || state.Map.Model != model || !IsFresh(state, members, now))
        {
            _state = state = Build(model, members, now);
        }

        return (state.Map, state.Members);
    }

    private bool IsFresh(State state, ImmutableArray<Member> members, long now)
    {
        if (state.Members.Length != members.Length)
        {
            return false;
        }

        var figuresChanged = false;
        for (var i = 0; i < members.Length; i++)
        {
            var before = state.Members[i];
            if (!ReferenceEquals(before.Link, members[i].Link) || !ReferenceEquals(state.Offers[i], members[i].OfferAt(now, withLeaving)))
            {
                return false;
            }

            figuresChanged |= !ReferenceEquals(before.Report, members[i].Report);
        }

        return !figuresChanged || clock.GetElapsedTime(state.BuiltAt, now) < FiguresMayWait;
    }

    private State Build(string model, ImmutableArray<Member> members, long now)
    {
        // Each offer is read once: links change while this runs, and what the map is compared with later must be what it was built from.
        ImmutableArray<WorkerOffer?> offers = [.. members.Select(member => member.OfferAt(now, withLeaving))];
        PathCandidate[] candidates = [.. members.Select((member, i) => ToCandidate(member, offers[i], now))];
        return new State(PathMap.Build(model, candidates, options), members, offers, now);
    }

    private PathCandidate ToCandidate(Member member, WorkerOffer? offer, long now)
    {
        var address = member.Link.Address.Authority;
        if (offer is null)
        {
            return new PathCandidate("", address, []);
        }

        var report = member.ReportOf(offer, now);
        var candidate = new PathCandidate(offer.WorkerId, address, [.. offer.Shards.Concat(withLeaving ? offer.Ending : []).Select(shard => ToShard(shard, report))]);
        return report is null ? candidate : candidate with { RoundTrips = report.RoundTrips, Unreachable = report.Unreachable };
    }

    private static ShardCandidate ToShard(ShardOffer shard, WorkerReport? report) =>
        report is not null && report.Shards.TryGetValue(shard.ShardId, out var told)
            ? new ShardCandidate(shard) { Speed = told.Speed }
            : new ShardCandidate(shard);

    private sealed record State(PathMap Map, ImmutableArray<Member> Members, ImmutableArray<WorkerOffer?> Offers, long BuiltAt);
}
