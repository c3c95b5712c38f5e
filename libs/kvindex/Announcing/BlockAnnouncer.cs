using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.KvIndex.Events;

namespace Parallax.KvIndex.Announcing;

/// <summary>
/// What one worker has to announce of its cached KV blocks: knows all of them, gathers changes into batches, numbers
/// these, and begins anew when asked. Pure: the time comes with each call. Not thread-safe.
/// </summary>
/// <remarks>
/// Batches say how things stand when they are made, not what happened meanwhile, and go out in the order of their numbers.
/// To begin anew is a batch that says so, and pages of what was held then; changes go out between the pages as ever.
/// Memory: the blocks' hashes, a bounded list of changes, and while pages are left a copy of the hashes.
/// </remarks>
public sealed class BlockAnnouncer
{
    private readonly BlockAnnouncerOptions _options;
    private readonly long _incarnation;
    private readonly List<AnnouncedShard> _shards = [];
    private readonly List<ShardBlocks> _closed = []; // still to be said
    private readonly (AnnouncedShard Shard, UInt128 Hash)[] _changes;
    private readonly Queue<(AnnouncedShard Shard, UInt128[] Hashes)> _pages = [];
    private int _pageOffset;
    private int _changeCount;
    private TimeSpan _gatheringSince;
    private TimeSpan _spokenAt;
    private TimeSpan? _begunAt;
    private bool _wantsToBegin = true;
    private long _sequence;

    /// <param name="incarnation">The run of the worker.</param>
    /// <param name="options">Times; null for the defaults.</param>
    public BlockAnnouncer(long incarnation, BlockAnnouncerOptions? options = null)
    {
        _incarnation = incarnation;
        _options = options ?? new BlockAnnouncerOptions();
        _changes = new (AnnouncedShard, UInt128)[_options.MaxWaiting];
    }

    /// <summary>Blocks that are held now, of all shards.</summary>
    public int Held => _shards.Sum(static shard => shard.Held.Count);

    /// <summary>Blocks of a shard are announced from now on; it has none yet.</summary>
    /// <param name="id">Names it on its worker; never used again after <see cref="Close"/>.</param>
    /// <param name="range">Its layers.</param>
    /// <param name="mostBlocks">Blocks that it can have cached at most.</param>
    /// <returns>Names it in the other calls; null when there are <see cref="BlockLimits.MaxShards"/> already, which all announce.</returns>
    public AnnouncedShard? Open(string id, LayerRange range, int mostBlocks)
    {
        if (_shards.Count >= BlockLimits.MaxShards || id is not { Length: > 0 and <= BlockLimits.MaxShardId })
        {
            return null;
        }

        var shard = new AnnouncedShard(id, range, mostBlocks);
        _shards.Add(shard);
        return shard;
    }

    /// <summary>A shard is no more, and none of its blocks.</summary>
    public void Close(AnnouncedShard shard)
    {
        ArgumentNullException.ThrowIfNull(shard);
        if (_shards.Remove(shard))
        {
            shard.IsClosed = true;
            shard.Held.Clear();
            if (_closed.Count == BlockLimits.MaxShards)
            {
                SkipNumber();
            }

            _closed.Add(new ShardBlocks(shard.Id, shard.Range, Clear: true, [], []));
        }
    }

    /// <summary>A block is cached.</summary>
    public void Added(AnnouncedShard shard, UInt128 hash, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(shard);
        if (!shard.IsClosed && shard.Held.Add(hash))
        {
            Note(shard, hash, now);
        }
    }

    /// <summary>A block is cached no longer.</summary>
    public void Evicted(AnnouncedShard shard, UInt128 hash, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(shard);
        if (!shard.IsClosed && shard.Held.Remove(hash))
        {
            Note(shard, hash, now);
        }
    }

    /// <summary>
    /// Whoever listens may have missed something: somebody asks, the connection is a new one, or a batch could not be sent.
    /// All is said again as soon as it may be.
    /// </summary>
    public void BeginAnew() => _wantsToBegin = true;

    /// <summary>The next batch to be sent; null when there is nothing to say now. To be called again until it is null.</summary>
    public BlockBatch? Next(TimeSpan now)
    {
        if (_wantsToBegin && (_begunAt is not { } begun || now - begun >= _options.BeginEvery))
        {
            Begin(now);
            return Speak(now, begins: true, []);
        }

        if (_closed.Count > 0)
        {
            ImmutableArray<ShardBlocks> cleared = [.. _closed];
            _closed.Clear();
            return Speak(now, begins: false, cleared);
        }

        if (_changeCount >= BlockLimits.MaxHashes || (_changeCount > 0 && now - _gatheringSince >= _options.GatherTime))
        {
            return TakeChanges(now);
        }

        // A page after changes that were not said yet would be newer than what it follows.
        if (_changeCount == 0 && TakePage() is { } page)
        {
            return Speak(now, begins: false, [page]);
        }

        return _sequence > 0 && now - _spokenAt >= _options.PulseEvery ? Pulse(now) : null;
    }

    private void Note(AnnouncedShard shard, UInt128 hash, TimeSpan now)
    {
        if (_changeCount == _changes.Length)
        {
            SkipNumber();
        }

        if (_changeCount == 0)
        {
            _gatheringSince = now;
        }

        _changes[_changeCount++] = (shard, hash);
    }

    /// <summary>More has changed than can be said one by one: the number that is left out makes readers wait for all of it.</summary>
    private void SkipNumber()
    {
        _changeCount = 0;
        _closed.Clear();
        _sequence++;
        _wantsToBegin = true;
    }

    private void Begin(TimeSpan now)
    {
        (_wantsToBegin, _begunAt, _changeCount, _pageOffset) = (false, now, 0, 0);
        _closed.Clear();
        _pages.Clear();
        foreach (var shard in _shards.Where(static shard => shard.Held.Count > 0))
        {
            _pages.Enqueue((shard, [.. shard.Held]));
        }
    }

    private ShardBlocks? TakePage()
    {
        while (_pages.TryPeek(out var page))
        {
            var (shard, hashes) = page;
            var rest = hashes.AsSpan(_pageOffset);
            var taken = rest[..Math.Min(rest.Length, BlockLimits.MaxHashes)];
            _pageOffset += taken.Length;
            if (taken.Length == rest.Length)
            {
                _pages.Dequeue();
                _pageOffset = 0;
            }

            // What has gone since is left out: a page must not say more than is true.
            var held = ImmutableArray.CreateBuilder<UInt128>(taken.Length);
            foreach (var hash in taken)
            {
                if (shard.Held.Contains(hash))
                {
                    held.Add(hash);
                }
            }

            if (held.Count > 0)
            {
                return new ShardBlocks(shard.Id, shard.Range, Clear: false, [], held.DrainToImmutable());
            }
        }

        return null;
    }

    private BlockBatch? TakeChanges(TimeSpan now)
    {
        var taken = Math.Min(_changeCount, BlockLimits.MaxHashes);
        var shards = _changes.AsSpan(0, taken).ToArray()
            .Where(static change => !change.Shard.IsClosed)
            .GroupBy(static change => change.Shard)
            .Select(static group => Now(group.Key, group.Select(static change => change.Hash)))
            .ToImmutableArray();
        Array.Copy(_changes, taken, _changes, 0, _changeCount - taken);
        _changeCount -= taken;
        _gatheringSince = now;
        return shards.IsEmpty ? null : Speak(now, begins: false, shards);
    }

    private static ShardBlocks Now(AnnouncedShard shard, IEnumerable<UInt128> hashes)
    {
        var added = ImmutableArray.CreateBuilder<UInt128>();
        var evicted = ImmutableArray.CreateBuilder<UInt128>();
        foreach (var hash in hashes.Distinct())
        {
            (shard.Held.Contains(hash) ? added : evicted).Add(hash);
        }

        return new ShardBlocks(shard.Id, shard.Range, Clear: false, evicted.DrainToImmutable(), added.DrainToImmutable());
    }

    private BlockBatch Speak(TimeSpan now, bool begins, ImmutableArray<ShardBlocks> shards)
    {
        _spokenAt = now;
        return new BlockBatch(_incarnation, ++_sequence, begins, shards);
    }

    private BlockBatch Pulse(TimeSpan now)
    {
        _spokenAt = now;
        return new BlockBatch(_incarnation, _sequence, Begins: false, []);
    }
}
