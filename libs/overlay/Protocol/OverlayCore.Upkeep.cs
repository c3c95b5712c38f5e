using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>What happens by itself: joining and joining again, republishing, refreshing, looking after the table.</summary>
internal sealed partial class OverlayCore
{
    /// <summary>Lost peers that are remembered.</summary>
    private const int MaxLost = 256;

    /// <summary>Attempts to reach lost peers in one round.</summary>
    private const int MaxRejoinsAtOnce = 8;

    /// <summary>Keys of which records are handed on in one round.</summary>
    private const int MaxKeysAtOnce = 16;

    /// <summary>Keys that are looked through for a new peer.</summary>
    private const int MaxKeysLookedThrough = 4096;

    /// <summary>A peer that was heard of within this time is not called before another waits for its place.</summary>
    private static readonly TimeSpan DoubtAfter = TimeSpan.FromSeconds(30);

    /// <summary>A peer that is back sooner was only hard to hear.</summary>
    private static readonly TimeSpan OutageAfter = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenSelfLookups = TimeSpan.FromSeconds(5);

    private readonly Dictionary<OverlayKey, Publication> _publications = [];
    private readonly List<RejoinTarget> _rejoin = [];
    private readonly HashSet<PeerId> _suspects = []; // owe an answer
    private readonly HashSet<PeerId> _pinged = [];
    private readonly Queue<int> _refreshes = []; // buckets to be looked into, one after the other
    private TimeSpan _nextRound;
    private TimeSpan _nextProbe;
    private TimeSpan _nextReplication;
    private TimeSpan _selfLookupAt = TimeSpan.MaxValue;
    private TimeSpan _lastSelfLookup = TimeSpan.MinValue;
    private bool _isLookingForSelf;
    private bool _isRefreshing;

    /// <summary>Whether this peer has found its neighbours, or has none to look for.</summary>
    public bool HasJoined { get; private set; }

    /// <summary>Peers that are to be reached again.</summary>
    public int Lost => _rejoin.Count(static target => !target.IsBootstrap);

    /// <summary>Begins to join.</summary>
    public void Start(TimeSpan now)
    {
        _nextProbe = now + Settings.ProbeInterval;
        _nextReplication = now + Spread(Settings.ReplicateInterval);
        _nextRound = now;
        if (_rejoin.Count == 0)
        {
            Join();
        }

        Advance(now);
    }

    /// <summary>Does what is due.</summary>
    public void Advance(TimeSpan now)
    {
        foreach (var operation in _operations.ToArray())
        {
            operation.Advance(now);
        }

        DropFinished();
        Rejoin(now);
        LookForSelf(now);
        if (now < _nextRound)
        {
            return;
        }

        _nextRound = now + Round;
        Store.Sweep(now);
        ForgetIntroductions(now);
        Republish(now);
        Probe(now);
        Refresh(now);
        Replicate(now);
    }

    /// <summary>A peer answered a call.</summary>
    private void Seen(PeerContact contact, TimeSpan roundTrip, TimeSpan now)
    {
        _suspects.Remove(contact.Id);
        if (Table.Find(contact.Id) is null
            && _rejoin.Find(target => target.Address == contact.Address || target.Id == contact.Id) is { } lost)
        {
            // Somebody is back after a while: there may be a whole part of the overlay behind it.
            if (now - lost.LostAt > OutageAfter)
            {
                WantSelfLookup(now);
            }

            (lost.Id, lost.Pause) = (contact.Id, Settings.FirstRetry);
            if (!lost.IsBootstrap)
            {
                _rejoin.Remove(lost);
            }
        }

        switch (Table.Answered(contact, roundTrip, now))
        {
            case BucketChange.Added:
                HandOverTo(contact, now);
                break;
            case BucketChange.Waits when Table.LeastRecentlySeen(contact.Id) is { } oldest && Table.Find(oldest.Id)!.AnsweredAt + DoubtAfter < now:
                PingOnce(oldest, now);
                break;
            case BucketChange.NetworkRefused:
                Statistics.Refuse(OverlayRefusal.NetworkShare);
                break;
        }
    }

    /// <summary>A peer did not answer a call.</summary>
    private void Missed(PeerId id, TimeSpan now)
    {
        if (Table.Failed(id) is not { } left)
        {
            if (Table.Find(id) is not null)
            {
                _suspects.Add(id);
            }

            return;
        }

        _suspects.Remove(id);
        Emit(new PeerLost(left));
        if (_rejoin.Exists(target => target.Address == left.Address))
        {
            return;
        }

        if (Lost >= MaxLost)
        {
            _rejoin.Remove(_rejoin.Find(static target => !target.IsBootstrap)!);
        }

        _rejoin.Add(new RejoinTarget(left.Address, isBootstrap: false)
        {
            Id = id,
            LostAt = now,
            Pause = Settings.FirstRetry,
            NextAt = now + Spread(Settings.FirstRetry),
        });
    }

    private void Rejoin(TimeSpan now)
    {
        var tries = 0;
        foreach (var target in _rejoin)
        {
            if (target.NextAt > now || target.IsBeingTried || target.Id == Self.Id)
            {
                continue;
            }

            if (target.Id is { } known && Table.Find(known) is not null)
            {
                target.NextAt = now + Spread(Settings.LongestRetry);
                continue;
            }

            if (tries++ == MaxRejoinsAtOnce)
            {
                break;
            }

            target.IsBeingTried = true;
            target.NextAt = now + Spread(target.Pause);
            target.Pause = target.Pause * 2 < Settings.LongestRetry ? target.Pause * 2 : Settings.LongestRetry;
            Ping(null, target.Address, (answered, at) => Tried(target, answered, at), now);
        }
    }

    private void Tried(RejoinTarget target, PeerId? answered, TimeSpan now)
    {
        target.IsBeingTried = false;
        if (answered is { } id)
        {
            target.Id = id;
            if (id == Self.Id)
            {
                JoinIfAlone();
            }
            else if (!HasJoined)
            {
                WantSelfLookup(now);
            }
        }
    }

    // Where every bootstrap address turns out to be this peer's own, it is the first of its swarm.
    private void JoinIfAlone()
    {
        if (_rejoin.TrueForAll(target => target.Id == Self.Id))
        {
            Join();
        }
    }

    private void Join()
    {
        if (!HasJoined)
        {
            HasJoined = true;
            Emit(new JoinDone());
        }
    }

    private void WantSelfLookup(TimeSpan now)
    {
        var earliest = _lastSelfLookup == TimeSpan.MinValue ? now : _lastSelfLookup + BetweenSelfLookups;
        var at = earliest > now ? earliest : now;
        _selfLookupAt = at < _selfLookupAt ? at : _selfLookupAt;
    }

    private void LookForSelf(TimeSpan now)
    {
        if (_selfLookupAt > now || _isLookingForSelf)
        {
            return;
        }

        (_selfLookupAt, _lastSelfLookup, _isLookingForSelf) = (now + Spread(Settings.RefreshInterval), now, true);
        Begin(new FindOperation(this, Self.Id, FoundNeighbours, now), now);
    }

    // All buckets farther away than the closest neighbour are looked into, as the paper has it.
    private void FoundNeighbours(IReadOnlyList<PeerContact> neighbours, TimeSpan now)
    {
        _isLookingForSelf = false;
        if (neighbours.Count > 0)
        {
            Join();
            var closest = Self.Id.DistanceTo(neighbours[0].Id).LeadingZeros();
            for (var bucket = Math.Min(closest, RoutingTable.Buckets) - 1; bucket >= 0; bucket--)
            {
                EnqueueRefresh(bucket);
            }

            RefreshNext(now);
        }
    }

    private void Refresh(TimeSpan now)
    {
        foreach (var bucket in Table.Untouched(now - Settings.RefreshInterval))
        {
            EnqueueRefresh(bucket);
        }

        RefreshNext(now);
    }

    private void EnqueueRefresh(int bucket)
    {
        if (!_refreshes.Contains(bucket))
        {
            _refreshes.Enqueue(bucket);
        }
    }

    private void RefreshNext(TimeSpan now)
    {
        if (!_isRefreshing && _refreshes.TryDequeue(out var bucket))
        {
            _isRefreshing = true;
            Begin(new FindOperation(this, Table.RandomIn(bucket, _random), (_, _) => _isRefreshing = false, now), now);
        }
    }

    private void Republish(TimeSpan now)
    {
        foreach (var (key, publication) in _publications.ToArray())
        {
            var isTombstone = publication.Record.IsTombstone;
            if (publication.ExpiresAt <= now && (isTombstone || !publication.IsPublished))
            {
                _publications.Remove(key);
            }
            else if (publication.IsPublished && publication.RepublishAt <= now)
            {
                // Signed anew, its lease begins again. A removal only has to outlive what it replaces.
                if (!isTombstone)
                {
                    Seal(key, publication.Record.Value, publication.Record.Lease, now);
                }

                Publish(key, publication, null, now);
            }
        }
    }

    /// <summary>Calls those that owe an answer, and now and then the one that has been silent longest.</summary>
    private void Probe(TimeSpan now)
    {
        foreach (var id in _suspects.ToArray())
        {
            if (Table.Find(id) is { } entry)
            {
                PingOnce(entry.Contact, now);
            }
            else
            {
                _suspects.Remove(id);
            }
        }

        if (_nextProbe <= now)
        {
            _nextProbe = now + Spread(Settings.ProbeInterval);
            if (Table.Entries.MinBy(static entry => entry.AnsweredAt) is { } oldest)
            {
                PingOnce(oldest.Contact, now);
            }
        }
    }

    /// <summary>Hands records on that nobody else has handed on for long: their publisher may be gone.</summary>
    private void Replicate(TimeSpan now)
    {
        if (_nextReplication > now)
        {
            return;
        }

        var unheard = Store.TakeUnheard(now - Settings.ReplicateInterval, now, MaxKeysAtOnce);
        // The rest follows in the next rounds.
        _nextReplication = unheard.Count == MaxKeysAtOnce ? now : now + Spread(Settings.ReplicateInterval / 10);
        foreach (var (key, records) in unheard)
        {
            Begin(new StoreOperation(this, null, key, new RecordBatches(records, Settings, now), now), now);
        }
    }

    /// <summary>A new peer that is among the nearest of a key gets its records from the one that was nearest so far.</summary>
    private void HandOverTo(PeerContact peer, TimeSpan now)
    {
        List<HeldRecord>? records = null;
        foreach (var key in Store.Keys.Take(MaxKeysLookedThrough))
        {
            var distance = peer.Id.DistanceTo(key.Value);
            var own = Self.Id.DistanceTo(key.Value);
            var closest = Table.Closest(key.Value, Settings.Quorum, peer.Id);
            var isNearest = closest.Count == 0 || own < closest[0].Id.DistanceTo(key.Value);
            // With this peer as the nearest, the newcomer is among the first when fewer than that many others are closer.
            if (isNearest && closest.Count(other => other.Id.DistanceTo(key.Value) < distance) + (own < distance ? 1 : 0) < Settings.Quorum)
            {
                (records ??= []).AddRange(Store.Read(key, null, Settings.PageBytes, now).Records);
                if (records.Count >= CoreSettings.MaxRecordsPerStore * MaxKeysAtOnce)
                {
                    break;
                }
            }
        }

        if (records is { Count: > 0 })
        {
            HandOver(peer, records, now);
        }
    }

    private void PingOnce(PeerContact contact, TimeSpan now)
    {
        if (_pinged.Add(contact.Id))
        {
            Ping(contact.Id, contact.Address, (_, _) => _pinged.Remove(contact.Id), now);
        }
    }

    private void Ping(PeerId? expected, Uri address, Action<PeerId?, TimeSpan> ended, TimeSpan now)
    {
        var operation = new PingOperation(ended);
        Call(operation, expected, address, PingCall.Instance);
        Begin(operation, now);
    }

    // Peers that started together must not act together.
    private TimeSpan Spread(TimeSpan interval) => interval * (0.75 + (0.5 * _random.NextDouble()));
}
