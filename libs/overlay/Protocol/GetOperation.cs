using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Lookup;
using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>
/// Reads the records under a key: merges what the nearest peers hold, the newest of each publisher. The first that has
/// something does not end it, because it may hold an old one. It ends when the three nearest that live have answered and
/// somebody has something, or the k nearest when nobody has. The nearest that lacks something gets it.
/// </summary>
internal sealed class GetOperation : OverlayOperation
{
    /// <summary>Pages that one peer may send: a little more than what a key's quota fills.</summary>
    private const int MaxPages = 80;

    /// <summary>Bytes of records that are merged at most.</summary>
    private const long MaxBytes = 32 << 20;

    private readonly OverlayCore _core;
    private readonly long _operation;
    private readonly OverlayKey _key;
    private readonly PeerLookup _lookup;
    private readonly SortedDictionary<PeerId, Found> _newest = [];
    private readonly Dictionary<PeerId, Holdings> _holdings = [];
    private long _bytes;

    public GetOperation(OverlayCore core, long operation, OverlayKey key, TimeSpan now)
    {
        (_core, _operation, _key) = (core, operation, key);
        foreach (var own in core.Store.Read(key, null, long.MaxValue, now).Records)
        {
            _newest[own.Record.Publisher] = new Found(own.Record, now + own.Remaining);
        }

        _lookup = core.StartLookup(key.Value, now);
    }

    public override void Answered(PeerContact from, OverlayAnswer answer, TimeSpan now)
    {
        if (answer is not FindValueAnswer found)
        {
            Failed(from, now);
            return;
        }

        var holdings = _holdings.TryGetValue(from.Id, out var known) ? known : _holdings[from.Id] = new Holdings();
        var last = holdings.Last;
        foreach (var held in found.Records)
        {
            Merge(held, holdings, now);
            last = held.Record.Publisher;
        }

        // A page must get on from the one before, or it would never end.
        if (found.More && ++holdings.Pages < MaxPages && last is { } after && (holdings.Last is not { } before || after > before))
        {
            holdings.Last = after;
            holdings.Peers ??= found.Peers;
            _core.Call(this, from, new FindValueCall(_key, after), now);
            return;
        }

        _lookup.Answered(from.Id, (holdings.Peers ?? found.Peers).Take(_core.Settings.K));
        Advance(now);
    }

    public override void Failed(PeerContact? from, TimeSpan now)
    {
        _lookup.Failed(from!.Id);
        Advance(now);
    }

    public override void Advance(TimeSpan now)
    {
        if (IsDone)
        {
            return;
        }

        var window = _newest.Count > 0 ? _core.Settings.Quorum : _core.Settings.K;
        while (_lookup.Next(window, now) is { } candidate)
        {
            _core.Call(this, candidate.Contact, new FindValueCall(_key, null), now);
        }

        if (_lookup.IsConverged(window, now))
        {
            IsDone = true;
            _core.Emit(new LookupDone("get", _lookup.Hops(_core.Settings.Quorum), _lookup.Asked));
            ImmutableArray<HeldRecord> records =
                [.. _newest.Values.Where(found => found.ExpiresAt > now).Select(found => new HeldRecord(found.Record, found.ExpiresAt - now))];
            _core.Emit(new GetDone(_operation, records));
            PassOn(records, now);
        }
    }

    private void Merge(HeldRecord held, Holdings holdings, TimeSpan now)
    {
        var record = held.Record;
        if (record.Key != _key || held.Remaining <= TimeSpan.Zero || record.Lease <= TimeSpan.Zero || record.Lease > OverlayLimits.MaxLease
            || record.Value.Length > OverlayLimits.MaxValueBytes)
        {
            _core.Statistics.Refuse(OverlayRefusal.Malformed);
            return;
        }

        var present = _newest.GetValueOrDefault(record.Publisher);
        if (present is not null && present.Record.Version >= record.Version)
        {
            if (present.Record.Matches(record))
            {
                holdings.Versions[record.Publisher] = record.Version;
            }

            return;
        }

        if (_bytes + record.Bytes > MaxBytes)
        {
            _core.Statistics.Refuse(OverlayRefusal.Oversized);
            return;
        }

        if (!_core.Verifier.Verify(record))
        {
            _core.Statistics.Refuse(OverlayRefusal.Forged);
            return;
        }

        _bytes += record.Bytes - (present?.Record.Bytes ?? 0);
        holdings.Versions[record.Publisher] = record.Version;
        _newest[record.Publisher] = new Found(record, now + (held.Remaining < record.Lease ? held.Remaining : record.Lease));
    }

    // Caching on the path of the lookup: a copy lives for the remaining time at most.
    private void PassOn(ImmutableArray<HeldRecord> records, TimeSpan now)
    {
        foreach (var candidate in _lookup.Candidates)
        {
            if (candidate.State != CandidateState.Answered || !_holdings.TryGetValue(candidate.Contact.Id, out var holdings))
            {
                continue;
            }

            var lacks = records.Where(held => !holdings.Versions.TryGetValue(held.Record.Publisher, out var version) || version < held.Record.Version)
                .Take(CoreSettings.MaxRecordsPerStore).ToList();
            if (lacks.Count > 0)
            {
                _core.HandOver(candidate.Contact, lacks, now);
                return;
            }
        }
    }

    private sealed record Found(SignedRecord Record, TimeSpan ExpiresAt);

    private sealed class Holdings
    {
        public Dictionary<PeerId, RecordVersion> Versions { get; } = [];

        public PeerId? Last { get; set; }

        public int Pages { get; set; }

        public IReadOnlyList<PeerContact>? Peers { get; set; }
    }
}
