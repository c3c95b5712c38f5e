using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Lookup;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>
/// Stores records of one key: looks for the nearest peers, stores at the three nearest that live, says so, and goes on to
/// the rest of the k. A peer that does not take them is replaced by the next.
/// </summary>
internal sealed class StoreOperation : OverlayOperation
{
    private readonly OverlayCore _core;
    private readonly long? _operation;
    private readonly OverlayKey _key;
    private readonly RecordBatches _batches;
    private readonly PeerLookup _lookup;
    private readonly Dictionary<PeerId, Holder> _holders = [];
    private bool _isStoring;
    private bool _isAcknowledged;

    public StoreOperation(OverlayCore core, long? operation, OverlayKey key, RecordBatches batches, TimeSpan now)
    {
        (_core, _operation, _key, _batches) = (core, operation, key, batches);
        _lookup = core.StartLookup(key.Value, now);
    }

    private int Quorum => _core.Settings.Quorum;

    public override void Answered(PeerContact from, OverlayAnswer answer, TimeSpan now)
    {
        switch (answer)
        {
            case FindNodeAnswer found:
                _lookup.Answered(from.Id, found.Peers.Take(_core.Settings.K));
                break;
            case StoreAnswer stored when _holders.TryGetValue(from.Id, out var holder):
                holder.Take(stored.Outcomes);
                if (holder.State == HolderState.Asked && ++holder.Batch < _batches.Count)
                {
                    _core.Call(this, from, _batches.At(holder.Batch, now), now);
                    return;
                }

                holder.State = holder.State == HolderState.Asked ? HolderState.Acknowledged : holder.State;
                break;
            default:
                Failed(from, now);
                return;
        }

        Advance(now);
    }

    public override void Failed(PeerContact? from, TimeSpan now)
    {
        if (_holders.TryGetValue(from!.Id, out var holder))
        {
            holder.State = HolderState.Failed;
        }
        else
        {
            _lookup.Failed(from.Id);
        }

        Advance(now);
    }

    public override void Advance(TimeSpan now)
    {
        if (IsDone)
        {
            return;
        }

        if (!_isStoring)
        {
            while (_lookup.Next(Quorum, now) is { } candidate)
            {
                _core.Call(this, candidate.Contact, new FindNodeCall(_key.Value), now);
            }

            _isStoring = _lookup.IsConverged(Quorum, now);
            if (_isStoring)
            {
                _core.Emit(new LookupDone("put", _lookup.Hops(Quorum), _lookup.Asked));
            }
        }

        if (_isStoring)
        {
            Store(now);
        }
    }

    private void Store(TimeSpan now)
    {
        var isSettled = Send(_isAcknowledged ? _core.Settings.K : Quorum, now, out var acknowledged);
        if (!_isAcknowledged && (acknowledged >= Quorum || isSettled))
        {
            _isAcknowledged = true;
            if (_operation is { } operation)
            {
                // This peer holds what it publishes wherever it stands.
                _core.Emit(new PutDone(
                    operation, 1 + Count(HolderState.Acknowledged), _holders.Values.Count(static holder => holder.IsNewer)));
            }

            isSettled = Send(_core.Settings.K, now, out _);
        }

        IsDone = _isAcknowledged && isSettled;
    }

    /// <summary>Asks those of the nearest that have not been asked; true when there is nothing to ask or to wait for.</summary>
    private bool Send(int places, TimeSpan now, out int acknowledged)
    {
        (var taken, acknowledged) = (0, 0);
        var active = _holders.Values.Count(holder => IsActive(holder, now));
        foreach (var candidate in _lookup.Candidates)
        {
            if (taken == places)
            {
                break;
            }

            if (candidate.State == CandidateState.Failed)
            {
                continue;
            }

            if (candidate.Hop == 0)
            {
                (taken, acknowledged) = (taken + 1, acknowledged + 1);
                continue;
            }

            if (!_holders.TryGetValue(candidate.Contact.Id, out var holder))
            {
                taken++;
                if (active < _core.Settings.Alpha)
                {
                    active++;
                    _holders.Add(candidate.Contact.Id, new Holder { AskedAt = now });
                    _core.Call(this, candidate.Contact, _batches.At(0, now), now);
                }
            }
            else if (holder.State == HolderState.Acknowledged)
            {
                (taken, acknowledged) = (taken + 1, acknowledged + 1);
            }
            else if (IsActive(holder, now))
            {
                taken++;
            }
        }

        return Count(HolderState.Asked) == 0;
    }

    // One that is slow is passed by, and counts when it does acknowledge.
    private bool IsActive(Holder holder, TimeSpan now) =>
        holder.State == HolderState.Asked && now - holder.AskedAt < _core.Settings.SlowAfter;

    private int Count(HolderState state) => _holders.Values.Count(holder => holder.State == state);

    private enum HolderState
    {
        Asked,
        Acknowledged,
        Failed,
    }

    private sealed class Holder
    {
        public HolderState State { get; set; }

        public TimeSpan AskedAt { get; init; }

        public int Batch { get; set; }

        public bool IsNewer { get; private set; }

        public void Take(IReadOnlyList<StoreOutcome> outcomes)
        {
            IsNewer |= outcomes.Contains(StoreOutcome.Older);
            State = outcomes.All(static outcome => outcome == StoreOutcome.Stored) ? State : HolderState.Failed;
        }
    }
}
