using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay.Routing;

/// <summary>
/// The peers that this one knows, in k-buckets by the length of the common prefix (Maymounkov and Mazières, Kademlia, 2002).
/// Only peers that have answered a call are in it, and only one that does not answer makes room for another. Pure. Not
/// thread-safe.
/// </summary>
internal sealed class RoutingTable
{
    public const int Buckets = 8 * PeerId.Size;

    private readonly Bucket?[] _buckets = new Bucket?[Buckets];
    private readonly PeerId _self;
    private readonly NetworkShare _networks;
    private readonly Func<Bucket> _create;

    public RoutingTable(PeerId self, int k, int replacements, int perNetwork, NetworkShare networks)
    {
        (_self, _networks) = (self, networks);
        _create = () => new Bucket(k, replacements, perNetwork);
    }

    /// <summary>Peers in buckets.</summary>
    public int Count { get; private set; }

    public IEnumerable<BucketEntry> Entries => _buckets.Where(static bucket => bucket is not null).SelectMany(static bucket => bucket!.Entries);

    public BucketEntry? Find(PeerId id) => id == _self ? null : _buckets[IndexOf(id)]?.Find(id);

    /// <summary>Whether an answer of this peer could change anything.</summary>
    public bool HasRoomFor(PeerId id) => id != _self && (_buckets[IndexOf(id)]?.HasRoom ?? true);

    /// <summary>The peer that has been silent longest in a full bucket: the one to call before another takes its place.</summary>
    public PeerContact? LeastRecentlySeen(PeerId beside) =>
        _buckets[IndexOf(beside)] is { IsFull: true } bucket ? bucket.Entries[0].Contact : null;

    public BucketChange Answered(PeerContact contact, TimeSpan roundTrip, TimeSpan now)
    {
        if (contact.Id == _self)
        {
            return BucketChange.Updated;
        }

        var index = IndexOf(contact.Id);
        var bucket = _buckets[index] ??= _create();
        var change = bucket.Answered(contact, _networks.Of(contact.Address), roundTrip, now);
        Count += change == BucketChange.Added ? 1 : 0;
        return change;
    }

    /// <summary>A peer did not answer. Returns it when it has lost its place.</summary>
    public PeerContact? Failed(PeerId id)
    {
        if (id == _self || _buckets[IndexOf(id)] is not { } bucket)
        {
            return null;
        }

        var before = bucket.Entries.Count;
        var left = bucket.Failed(id);
        Count += bucket.Entries.Count - before;
        return left?.Contact;
    }

    /// <summary>The <paramref name="count"/> peers closest to a target, closest first, without those that owe an answer.</summary>
    public List<PeerContact> Closest(PeerId target, int count, PeerId? except = null)
    {
        var found = new List<PeerContact>(count);
        if (target == _self)
        {
            // The longer the prefix in common, the closer.
            for (var i = Buckets - 1; i >= 0 && found.Count < count; i--)
            {
                Append(found, target, except, i, i + 1);
            }
        }
        else
        {
            // The target's own bucket is closest; then all that share a longer prefix with this peer, as one; then the rest.
            var own = IndexOf(target);
            Append(found, target, except, own, own + 1);
            if (found.Count < count)
            {
                Append(found, target, except, own + 1, Buckets);
            }

            for (var i = own - 1; i >= 0 && found.Count < count; i--)
            {
                Append(found, target, except, i, i + 1);
            }
        }

        if (found.Count > count)
        {
            found.RemoveRange(count, found.Count - count);
        }

        return found;
    }

    /// <summary>A lookup went towards a target.</summary>
    public void Touch(PeerId target, TimeSpan now)
    {
        if (target != _self)
        {
            (_buckets[IndexOf(target)] ??= _create()).TouchedAt = now;
        }
    }

    /// <summary>
    /// The buckets that no lookup has gone to since <paramref name="before"/>, up to the deepest one with a peer in it.
    /// </summary>
    public List<int> Untouched(TimeSpan before)
    {
        var deepest = Array.FindLastIndex(_buckets, static bucket => bucket is { Entries.Count: > 0 });
        return [.. Enumerable.Range(0, deepest + 1).Where(i => (_buckets[i]?.TouchedAt ?? TimeSpan.MinValue) <= before)];
    }

    /// <summary>A random id in the range of a bucket.</summary>
    public PeerId RandomIn(int bucket, Random random)
    {
        var bytes = new byte[PeerId.Size];
        random.NextBytes(bytes);
        var own = _self.ToByteArray();
        // The first bits are this peer's, the next one is not.
        var (whole, bit) = (bucket / 8, bucket % 8);
        own.AsSpan(0, whole).CopyTo(bytes);
        var kept = 0xFF << (8 - bit);
        var flip = 0x80 >> bit;
        bytes[whole] = (byte)((own[whole] & kept) | (~own[whole] & flip) | (bytes[whole] & ~kept & ~flip));
        return new PeerId(bytes);
    }

    private void Append(List<PeerContact> found, PeerId target, PeerId? except, int first, int end)
    {
        var start = found.Count;
        for (var i = first; i < end; i++)
        {
            if (_buckets[i] is not { } bucket)
            {
                continue;
            }

            foreach (var entry in bucket.Entries)
            {
                if (entry.Failures == 0 && entry.Contact.Id != except)
                {
                    found.Add(entry.Contact);
                }
            }
        }

        found.Sort(start, found.Count - start, Comparer<PeerContact>.Create((left, right) =>
            left.Id.DistanceTo(target).CompareTo(right.Id.DistanceTo(target))));
    }

    private int IndexOf(PeerId id) => Math.Min(_self.DistanceTo(id).LeadingZeros(), Buckets - 1);
}
