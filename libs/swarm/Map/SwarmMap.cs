using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Swarm.Map;

/// <summary>
/// The swarm as one member knows it at an instant: an immutable value, and pure functions from one to the next. Time is the
/// reader's own monotonic clock; what others' clocks say plays no part.
/// </summary>
public sealed record SwarmMap
{
    /// <summary>Workers kept at most: who floods the swarm with identities takes no more memory than this.</summary>
    public const int MostWorkers = 16384;

    /// <summary>Nothing is known.</summary>
    public static SwarmMap Empty { get; } = new();

    /// <summary>By id.</summary>
    public ImmutableSortedDictionary<PeerId, MapWorker> Workers { get; init; } = ImmutableSortedDictionary<PeerId, MapWorker>.Empty;

    /// <summary>The newest plan there has been; null when there was none.</summary>
    public PlanRecord? Plan { get; init; }

    /// <summary>When the plan's lease runs out unless its scheduler renews it.</summary>
    public TimeSpan PlanExpiresAt { get; init; }

    /// <summary>Workers that are there, as far as is known; ordered by id.</summary>
    public IEnumerable<MapWorker> Present(TimeSpan now) => Workers.Values.Where(worker => !worker.IsLost && worker.ExpiresAt > now);

    /// <summary>Whether a scheduler stands behind the plan.</summary>
    public bool HasLivePlan(TimeSpan now) => Plan is not null && PlanExpiresAt > now;

    /// <summary>
    /// With a worker's record, if it is newer than what is known by (incarnation, sequence). The same record again changes
    /// nothing, least of all its lease.
    /// </summary>
    public SwarmMap With(PeerId id, WorkerRecord record, long incarnation, long sequence, TimeSpan remaining, TimeSpan now)
    {
        var isKnown = Workers.TryGetValue(id, out var known);
        if (remaining <= TimeSpan.Zero
            || (isKnown && (incarnation, sequence).CompareTo((known!.Incarnation, known.Sequence)) <= 0)
            || (!isKnown && Workers.Count >= MostWorkers))
        {
            return this;
        }

        // A worker that does not answer is not back because a record of it arrives; a restarted one is.
        var isSameRun = isKnown && known!.Incarnation == incarnation;
        return this with
        {
            Workers = Workers.SetItem(id, new MapWorker(id, record, incarnation, sequence, now + remaining, now)
            {
                MissedProbes = isSameRun ? known!.MissedProbes : 0,
                IsLost = isSameRun && known!.IsLost,
                RoundTrip = known?.RoundTrip,
            }),
        };
    }

    /// <summary>A worker answered.</summary>
    public SwarmMap WithAnswer(PeerId id, TimeSpan roundTrip, TimeSpan now) => Workers.TryGetValue(id, out var known)
        ? this with
        {
            Workers = Workers.SetItem(id, known with { MissedProbes = 0, IsLost = false, HeardAt = now, RoundTrip = Smooth(known.RoundTrip, roundTrip) }),
        }
        : this;

    /// <summary>A worker did not answer; after <paramref name="limit"/> times in a row it is lost, at once if nobody listens there any more.</summary>
    public SwarmMap WithMiss(PeerId id, bool isRefused, int limit, TimeSpan now)
    {
        if (!Workers.TryGetValue(id, out var known) || known.IsLost)
        {
            return this;
        }

        var missed = isRefused ? Math.Max(limit, known.MissedProbes + 1) : known.MissedProbes + 1;
        return this with { Workers = Workers.SetItem(id, known with { MissedProbes = missed, IsLost = missed >= limit, LostAt = now }) };
    }

    /// <summary>Without a worker that said goodbye, until a later run of it announces itself.</summary>
    public SwarmMap Without(PeerId id) => this with { Workers = Workers.Remove(id) };

    /// <summary>Without those whose lease has run out.</summary>
    public SwarmMap Expire(TimeSpan now)
    {
        var expired = Workers.Values.Where(worker => worker.ExpiresAt <= now).Select(static worker => worker.Id).ToList();
        return expired.Count == 0 ? this : this with { Workers = Workers.RemoveRange(expired) };
    }

    /// <summary>With a plan, if it is newer than the one that is known; the same one renews its lease.</summary>
    public SwarmMap With(PlanRecord plan, TimeSpan remaining, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var (version, known) = (PlanVersions.VersionOf(plan), PlanVersions.VersionOf(Plan));
        if (PlanVersions.IsNewer(version, known))
        {
            return this with { Plan = plan, PlanExpiresAt = now + remaining };
        }

        return version!.Equals(known) && now + remaining > PlanExpiresAt ? this with { PlanExpiresAt = now + remaining } : this;
    }

    private static TimeSpan Smooth(TimeSpan? before, TimeSpan now) => before is { } old ? old + ((now - old) / 4) : now;
}
