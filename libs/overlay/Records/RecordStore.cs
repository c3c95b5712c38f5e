using System.Runtime.InteropServices;
using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay.Records;

/// <summary>
/// The records that this peer holds, by key and publisher. Pure: time is a parameter, a reading of a monotonic clock. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// Of each publisher the newest record under a key is held. Its time to live is counted down from what the sender said was
/// left, and the same version can never lengthen it. When it has expired, the version is remembered for one more lease and at
/// least ten minutes, so that nobody brings it back.
/// </remarks>
internal sealed class RecordStore
{
    private static readonly TimeSpan ShortestMemory = TimeSpan.FromMinutes(10);

    private readonly Dictionary<OverlayKey, SortedList<PeerId, Entry>> _keys = [];
    private readonly QuotaUse<PeerId> _publishers;
    private readonly QuotaUse<OverlayKey> _perKey;
    private readonly QuotaUse<string> _senders;
    private readonly QuotaUse<bool> _all;
    private readonly IRecordVerifier _verifier;

    public RecordStore(StoreQuotas quotas, IRecordVerifier verifier)
    {
        _verifier = verifier;
        _publishers = new QuotaUse<PeerId>(quotas.PerPublisher);
        _perKey = new QuotaUse<OverlayKey>(quotas.PerKey);
        _senders = new QuotaUse<string>(quotas.PerSender);
        _all = new QuotaUse<bool>(quotas.InAll);
    }

    /// <summary>Records held, with versions that are remembered.</summary>
    public int Count => _all.Of(true).Records;

    /// <summary>Their bytes.</summary>
    public long Bytes => _all.Of(true).Bytes;

    public ICollection<OverlayKey> Keys => _keys.Keys;

    /// <summary>What a sender's records take.</summary>
    public Quota UseOf(string sender) => _senders.Of(sender);

    /// <summary>Holds a record, or says why not. <see cref="OverlayRefusal.None"/> also when it is held already.</summary>
    /// <param name="held">The record and what is left of its lease, as the sender says.</param>
    /// <param name="sender">Who brought it; null: this peer itself, to which no quota and no signature check applies.</param>
    /// <param name="now">The time.</param>
    public OverlayRefusal Put(HeldRecord held, string? sender, TimeSpan now)
    {
        var record = held.Record;
        var refusal = CheckShape(record);
        if (refusal != OverlayRefusal.None)
        {
            return refusal;
        }

        // Never more than the lease that was signed, whatever a holder says.
        var remaining = held.Remaining < record.Lease ? held.Remaining : record.Lease;
        if (remaining <= TimeSpan.Zero)
        {
            return OverlayRefusal.Expired;
        }

        var present = Find(record.Key, record.Publisher);
        if (present is not null && present.Version >= record.Version)
        {
            return PutKnown(present, record, now + remaining, now);
        }

        var (records, bytes) = present is null ? (1, record.Bytes) : (0, record.Bytes - present.Bytes);
        if (sender is not null)
        {
            refusal = CheckQuotas(record, sender, present, records, bytes);
            if (refusal != OverlayRefusal.None)
            {
                return refusal;
            }

            if (!_verifier.Verify(record))
            {
                return OverlayRefusal.Forged;
            }
        }

        if (present is not null)
        {
            Remove(record.Key, record.Publisher, present);
        }

        Insert(record, sender ?? "", now, now + remaining);
        return OverlayRefusal.None;
    }

    /// <summary>Living records under a key in the order of publishers, tombstones included.</summary>
    /// <param name="key">Which.</param>
    /// <param name="after">Only publishers behind this one; null: all.</param>
    /// <param name="maxBytes">Where a page ends; at least one record comes.</param>
    /// <param name="now">The time.</param>
    public (List<HeldRecord> Records, bool More) Read(OverlayKey key, PeerId? after, long maxBytes, TimeSpan now)
    {
        var page = new List<HeldRecord>();
        if (!_keys.TryGetValue(key, out var entries))
        {
            return (page, false);
        }

        long bytes = 0;
        for (var i = after is { } last ? FirstBehind(entries.Keys, last) : 0; i < entries.Count; i++)
        {
            var entry = entries.GetValueAtIndex(i);
            if (entry.Record is not { } record || entry.ExpiresAt <= now)
            {
                continue;
            }

            if (page.Count > 0 && bytes + record.Bytes > maxBytes)
            {
                return (page, true);
            }

            page.Add(new HeldRecord(record, entry.ExpiresAt - now));
            bytes += record.Bytes;
        }

        return (page, false);
    }

    /// <summary>The living record of a publisher; null: none.</summary>
    public HeldRecord? Read(OverlayKey key, PeerId publisher, TimeSpan now) =>
        Find(key, publisher) is { Record: { } record } entry && entry.ExpiresAt > now ? new HeldRecord(record, entry.ExpiresAt - now) : null;

    /// <summary>
    /// Keys under which records have not been heard of since <paramref name="before"/>, with those records, which count as
    /// heard of from now on.
    /// </summary>
    public List<(OverlayKey Key, List<HeldRecord> Records)> TakeUnheard(TimeSpan before, TimeSpan now, int maxKeys)
    {
        var result = new List<(OverlayKey, List<HeldRecord>)>();
        foreach (var (key, entries) in _keys)
        {
            if (result.Count == maxKeys)
            {
                break;
            }

            List<HeldRecord>? unheard = null;
            foreach (var entry in entries.Values)
            {
                if (entry.HeardAt <= before && entry.Record is { } record && entry.ExpiresAt > now)
                {
                    (unheard ??= []).Add(new HeldRecord(record, entry.ExpiresAt - now));
                    entry.HeardAt = now;
                }
            }

            if (unheard is not null)
            {
                result.Add((key, unheard));
            }
        }

        return result;
    }

    /// <summary>Drops values that have expired and versions that need not be remembered any longer.</summary>
    public void Sweep(TimeSpan now)
    {
        List<(OverlayKey Key, PeerId Publisher, Entry Entry)>? due = null;
        foreach (var (key, entries) in _keys)
        {
            foreach (var (publisher, entry) in entries)
            {
                if (entry.ExpiresAt <= now && (entry.Record is not null || entry.ForgetAt <= now))
                {
                    (due ??= []).Add((key, publisher, entry));
                }
            }
        }

        foreach (var (key, publisher, entry) in due ?? [])
        {
            if (entry.ForgetAt <= now)
            {
                Remove(key, publisher, entry);
            }
            else
            {
                Account(key, publisher, entry, 0, entry.BytesWithoutRecord - entry.Bytes);
                entry.Bytes = entry.BytesWithoutRecord;
                entry.Record = null;
            }
        }
    }

    private static OverlayRefusal CheckShape(SignedRecord record)
    {
        if (record.Value.Length > OverlayLimits.MaxValueBytes || record.PublicKey.Length > SignedRecord.MaxPublicKeyBytes)
        {
            return OverlayRefusal.Oversized;
        }

        return record.Lease > TimeSpan.Zero && record.Lease <= OverlayLimits.MaxLease && record.Version is { Incarnation: >= 0, Sequence: >= 0 }
            && record.Signature.Length == SignedRecord.SignatureBytes && record.PublicKey.Length > 0
            ? OverlayRefusal.None
            : OverlayRefusal.Malformed;
    }

    private static OverlayRefusal PutKnown(Entry present, SignedRecord record, TimeSpan expiresAt, TimeSpan now)
    {
        if (present.Version > record.Version)
        {
            return OverlayRefusal.Stale;
        }

        if (present.Record is null || present.ExpiresAt <= now)
        {
            return OverlayRefusal.Expired;
        }

        if (!present.Record.Matches(record))
        {
            return OverlayRefusal.Stale;
        }

        present.HeardAt = now;
        present.ExpiresAt = expiresAt < present.ExpiresAt ? expiresAt : present.ExpiresAt;
        return OverlayRefusal.None;
    }

    private OverlayRefusal CheckQuotas(SignedRecord record, string sender, Entry? present, int records, long bytes)
    {
        // A record that takes another sender's place counts wholly for its new sender.
        var (sent, sentBytes) = present?.Sender == sender ? (records, bytes) : (1, record.Bytes);
        return !_publishers.Allows(record.Publisher, records, bytes) ? OverlayRefusal.PublisherQuota
            : !_perKey.Allows(record.Key, records, bytes) ? OverlayRefusal.KeyQuota
            : !_senders.Allows(sender, sent, sentBytes) ? OverlayRefusal.SenderQuota
            : !_all.Allows(true, records, bytes) ? OverlayRefusal.StoreFull
            : OverlayRefusal.None;
    }

    private void Insert(SignedRecord record, string sender, TimeSpan now, TimeSpan expiresAt)
    {
        var memory = record.Lease > ShortestMemory ? record.Lease : ShortestMemory;
        var entry = new Entry(record.Version, sender, record.Bytes - record.Value.Length)
        {
            Record = record,
            Bytes = record.Bytes,
            HeardAt = now,
            ExpiresAt = expiresAt,
            ForgetAt = expiresAt + memory,
        };
        ref var entries = ref CollectionsMarshal.GetValueRefOrAddDefault(_keys, record.Key, out _);
        (entries ??= []).Add(record.Publisher, entry);
        Account(record.Key, record.Publisher, entry, 1, entry.Bytes);
    }

    private void Remove(OverlayKey key, PeerId publisher, Entry entry)
    {
        var entries = _keys[key];
        entries.Remove(publisher);
        if (entries.Count == 0)
        {
            _keys.Remove(key);
        }

        Account(key, publisher, entry, -1, -entry.Bytes);
    }

    private void Account(OverlayKey key, PeerId publisher, Entry entry, int records, long bytes)
    {
        _publishers.Add(publisher, records, bytes);
        _perKey.Add(key, records, bytes);
        _senders.Add(entry.Sender, records, bytes);
        _all.Add(true, records, bytes);
    }

    private Entry? Find(OverlayKey key, PeerId publisher) =>
        _keys.TryGetValue(key, out var entries) && entries.TryGetValue(publisher, out var entry) ? entry : null;

    private static int FirstBehind(IList<PeerId> sorted, PeerId last)
    {
        var (low, high) = (0, sorted.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = sorted[middle] > last ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private sealed class Entry(RecordVersion version, string sender, int bytesWithoutRecord)
    {
        public RecordVersion Version => version;

        public string Sender => sender;

        public int BytesWithoutRecord => bytesWithoutRecord;

        /// <summary>Null once it has expired.</summary>
        public SignedRecord? Record { get; set; }

        public int Bytes { get; set; }

        public TimeSpan HeardAt { get; set; }

        public TimeSpan ExpiresAt { get; set; }

        public TimeSpan ForgetAt { get; set; }
    }
}
