using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay.Routing;

/// <summary>Peers at one length of common prefix, least recently seen first, and those that wait for a place.</summary>
internal sealed class Bucket(int capacity, int replacementCapacity, int networkCapacity)
{
    /// <summary>Calls in a row without an answer after which a peer loses its place.</summary>
    private const int FailuresToLeave = 3;

    private readonly List<BucketEntry> _entries = [];
    private readonly List<BucketEntry> _replacements = [];

    public IReadOnlyList<BucketEntry> Entries => _entries;

    /// <summary>When a lookup last went here.</summary>
    public TimeSpan TouchedAt { get; set; }

    public bool IsFull => _entries.Count >= capacity;

    public bool HasRoom => !IsFull || _replacements.Count < replacementCapacity;

    public BucketEntry? Find(PeerId id) => Find(_entries, id);

    /// <summary>A peer answered: it moves to the end, takes a place, or waits for one.</summary>
    public BucketChange Answered(PeerContact contact, string? network, TimeSpan roundTrip, TimeSpan now)
    {
        if (Find(_entries, contact.Id) is { } entry)
        {
            _entries.Remove(entry);
            _entries.Add(Update(entry, contact, network, roundTrip, now));
            return BucketChange.Updated;
        }

        var waiting = Find(_replacements, contact.Id);
        if (waiting is not null)
        {
            _replacements.Remove(waiting);
        }

        var seen = Update(waiting ?? new BucketEntry(contact, network), contact, network, roundTrip, now);
        if (!IsWithinShare(_entries, network))
        {
            return BucketChange.NetworkRefused;
        }

        if (!IsFull)
        {
            _entries.Add(seen);
            return BucketChange.Added;
        }

        // The cache turns over only for those who have answered; its oldest goes.
        if (_replacements.Count >= replacementCapacity)
        {
            _replacements.RemoveAt(0);
        }

        _replacements.Add(seen);
        return BucketChange.Waits;
    }

    /// <summary>A peer did not answer. Returns its entry when it has lost its place, which the newest that waits takes.</summary>
    public BucketEntry? Failed(PeerId id)
    {
        if (Find(_replacements, id) is { } waiting)
        {
            _replacements.Remove(waiting);
            return null;
        }

        if (Find(_entries, id) is not { } entry || ++entry.Failures < FailuresToLeave)
        {
            return null;
        }

        _entries.Remove(entry);
        var next = _replacements.FindLastIndex(candidate => IsWithinShare(_entries, candidate.Network));
        if (next >= 0)
        {
            // It has not been heard of for long, so it is the first to be doubted.
            _entries.Insert(0, _replacements[next]);
            _replacements.RemoveAt(next);
        }

        return entry;
    }

    private bool IsWithinShare(List<BucketEntry> entries, string? network) =>
        network is null || entries.Count(entry => entry.Network == network) < networkCapacity;

    private static BucketEntry Update(BucketEntry entry, PeerContact contact, string? network, TimeSpan roundTrip, TimeSpan now)
    {
        (entry.Contact, entry.Network, entry.RoundTrip, entry.AnsweredAt, entry.Failures) = (contact, network, roundTrip, now, 0);
        return entry;
    }

    private static BucketEntry? Find(List<BucketEntry> entries, PeerId id)
    {
        foreach (var entry in entries)
        {
            if (entry.Contact.Id == id)
            {
                return entry;
            }
        }

        return null;
    }
}
