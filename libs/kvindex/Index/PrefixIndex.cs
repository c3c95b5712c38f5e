using System.Diagnostics.CodeAnalysis;
using Parallax.KvIndex.Events;

namespace Parallax.KvIndex.Index;

/// <summary>
/// Which shard of which worker has which KV blocks cached, as far as workers have announced it. Pure: the time comes with
/// each call, as time since any fixed instant. Not thread-safe.
/// </summary>
/// <remarks>
/// It may know less than is true, and knows more only until the eviction arrives. A worker of whom something was missed
/// counts for nothing until it has begun anew. A worker holds a block only together with all blocks before it in its
/// chain, so that the longest leading run is found by bisection; whoever announces otherwise is believed to hold what comes
/// before, which costs a miss there.
/// </remarks>
public sealed class PrefixIndex
{
    /// <summary>Places of forgotten shards that each call frees, so that none takes long.</summary>
    private const int SweepPerCall = 4096;

    private const int None = -1;

    /// <summary>Searches that go on side by side.</summary>
    private const int Lanes = 16;

    private readonly PrefixIndexOptions _options;
    private readonly BlockTable _table;
    private readonly Dictionary<string, IndexedWorker> _workers = new(StringComparer.Ordinal);
    private readonly Queue<int> _forgotten = []; // holders whose pairs are still to be freed
    private readonly Stack<int> _freeHolders = [];
    private int _holderCount;
    private int _usable;
    private long _added;
    private long _evicted;
    private long _crowded;
    private long _gaps;
    private int _touched; // keeps reads that decide nothing from being left out

    /// <param name="options">Bounds and times.</param>
    public PrefixIndex(PrefixIndexOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _table = new BlockTable(options.Capacity, options.Seed);
    }

    /// <summary>How it is.</summary>
    public PrefixIndexCounts Counts => new(_table.Count, _workers.Count, _usable, _added, _evicted, _crowded, _gaps);

    /// <summary>Memory of the pairs, in bytes.</summary>
    public long Bytes => _table.Bytes;

    /// <summary>Takes a batch, whatever came before it.</summary>
    /// <param name="workerId">Who says so.</param>
    /// <param name="batch">What it says.</param>
    /// <param name="now">The time.</param>
    public BlockOutcome Apply(string workerId, BlockBatch batch, TimeSpan now)
    {
        ArgumentException.ThrowIfNullOrEmpty(workerId);
        ArgumentNullException.ThrowIfNull(batch);
        Sweep(SweepPerCall);
        if (!_workers.TryGetValue(workerId, out var worker))
        {
            if (_workers.Count >= _options.MaxWorkers)
            {
                return BlockOutcome.Full;
            }

            _workers.Add(workerId, worker = new IndexedWorker { Incarnation = batch.Incarnation, AskAt = now, AskPause = _options.FirstAsk });
        }

        if (batch.Incarnation < worker.Incarnation)
        {
            return BlockOutcome.Old;
        }

        // 1. Another run of the worker has nothing of the one before.
        worker.HeardAt = now;
        if (batch.Incarnation > worker.Incarnation)
        {
            Distrust(worker, now);
            (worker.Incarnation, worker.Sequence) = (batch.Incarnation, 0);
        }

        // 2. Whether it goes on from what is known.
        if (batch.Sequence < worker.Sequence || (batch.Sequence == worker.Sequence && (worker.IsUsable || batch.IsPulse)))
        {
            return worker.IsUsable ? BlockOutcome.Old : BlockOutcome.Gap;
        }

        var isNext = worker.IsUsable && !batch.IsPulse && batch.Sequence == worker.Sequence + 1;
        worker.Sequence = batch.Sequence;
        if (!isNext)
        {
            if (worker.IsUsable)
            {
                _gaps++;
                Distrust(worker, now);
            }

            if (!batch.Begins)
            {
                return BlockOutcome.Gap;
            }

            worker.IsUsable = true;
            _usable++;
        }

        // 3. What it says.
        foreach (var shard in batch.Shards)
        {
            if (!Apply(worker, shard))
            {
                Distrust(worker, now + _options.LongestAsk);
                return BlockOutcome.Full;
            }
        }

        return BlockOutcome.Applied;
    }

    /// <summary>The next worker that is to be asked to begin anew, and which run of it. Each is named again after a while if it has not.</summary>
    public bool TryTakeAsk(TimeSpan now, [NotNullWhen(true)] out string? workerId, out long incarnation)
    {
        foreach (var (id, worker) in _workers)
        {
            if (!worker.IsUsable && worker.AskAt <= now)
            {
                worker.AskAt = now + worker.AskPause;
                worker.AskPause = worker.AskPause * 2 < _options.LongestAsk ? worker.AskPause * 2 : _options.LongestAsk;
                (workerId, incarnation) = (id, worker.Incarnation);
                return true;
            }
        }

        (workerId, incarnation) = (null, 0);
        return false;
    }

    /// <summary>Forgets workers that are not there any more, runs of them that are over, and those that have been silent for too long.</summary>
    /// <param name="present">The workers that are there, and which run of each.</param>
    /// <param name="now">The time.</param>
    public void Keep(IReadOnlyDictionary<string, long> present, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(present);
        Sweep(SweepPerCall);
        foreach (var (id, worker) in _workers)
        {
            if (!present.TryGetValue(id, out var incarnation) || incarnation > worker.Incarnation || now - worker.HeardAt > _options.SilentTime)
            {
                Distrust(worker, now);
                _workers.Remove(id);
            }
        }
    }

    /// <summary>How many leading blocks of a chain a shard holds; 0 where nothing certain is known of it.</summary>
    /// <param name="chain">Chained hashes of a prompt's full blocks, in order.</param>
    /// <param name="shard">The shard.</param>
    public int LongestRun(ReadOnlySpan<UInt128> chain, in ShardRef shard) => LongestRun(chain, FindHolder(shard));

    /// <summary>As <see cref="LongestRun(ReadOnlySpan{UInt128}, in ShardRef)"/>, for many shards.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="shards">The shards.</param>
    /// <param name="runs">Takes the length for each.</param>
    public void LongestRuns(ReadOnlySpan<UInt128> chain, ReadOnlySpan<ShardRef> shards, Span<int> runs)
    {
        Span<int> holders = stackalloc int[Lanes];
        Span<int> held = stackalloc int[Lanes];
        Span<int> missing = stackalloc int[Lanes];
        for (var start = 0; start < shards.Length; start += Lanes)
        {
            var lanes = Math.Min(Lanes, shards.Length - start);
            for (var i = 0; i < lanes; i++)
            {
                holders[i] = FindHolder(shards[start + i]);
                (held[i], missing[i]) = (None, holders[i] < 0 ? 0 : chain.Length);
            }

            while (Step(chain, holders[..lanes], held, missing))
            {
                // until all of them know
            }

            missing[..lanes].CopyTo(runs[start..]);
        }
    }

    /// <summary>How many leading blocks of a chain all stages of a path hold.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="path">The stages.</param>
    public int LongestRunOfAll(ReadOnlySpan<UInt128> chain, ReadOnlySpan<ShardRef> path)
    {
        foreach (var stage in path)
        {
            chain = chain[..LongestRun(chain, stage)]; // no stage needs to be asked for more than those before it hold
        }

        return path.IsEmpty ? 0 : chain.Length;
    }

    /// <summary>Checks the table and the counts (tests).</summary>
    internal void CheckInvariants()
    {
        _table.CheckInvariants();
        var known = _workers.Values.SelectMany(static worker => worker.Shards.Values).Select(static shard => shard.Holder).ToList();
        var pairs = known.Concat(_forgotten).Sum(_table.CountOf);
        if (pairs != _table.Count || known.Concat(_forgotten).Concat(_freeHolders).Distinct().Count() != _holderCount || _usable != _workers.Values.Count(static worker => worker.IsUsable)
            || _workers.Values.Any(static worker => !worker.IsUsable && worker.Shards.Count > 0))
        {
            throw new InvalidOperationException($"{pairs} of {_table.Count} pairs have a holder; {_holderCount} holders, {_usable} usable workers");
        }
    }

    private int LongestRun(ReadOnlySpan<UInt128> chain, int holder)
    {
        var (held, missing) = (None, holder < 0 ? 0 : chain.Length);
        while (missing - held > 1)
        {
            var next = NextOf(held, missing, chain.Length);
            if (_table.Contains(holder, chain[next]))
            {
                held = next;
            }
            else
            {
                missing = next;
            }
        }

        return missing;
    }

    /// <summary>One step of several searches; false when none is left. First the places are fetched, all at once, and then looked at.</summary>
    private bool Step(ReadOnlySpan<UInt128> chain, ReadOnlySpan<int> holders, Span<int> held, Span<int> missing)
    {
        Span<int> next = stackalloc int[Lanes];
        var touched = 0;
        for (var i = 0; i < holders.Length; i++)
        {
            next[i] = missing[i] - held[i] > 1 ? NextOf(held[i], missing[i], chain.Length) : None;
            if (next[i] >= 0)
            {
                touched ^= _table.Touch(holders[i], chain[next[i]]);
            }
        }

        _touched = touched;
        var isLeft = false;
        for (var i = 0; i < holders.Length; i++)
        {
            if (next[i] >= 0)
            {
                isLeft = true;
                (_table.Contains(holders[i], chain[next[i]]) ? ref held[i] : ref missing[i]) = next[i];
            }
        }

        return isLeft;
    }

    /// <summary>Where a search goes on between a block that is held and one that is not: at the first, at the last, then in the middle.</summary>
    private static int NextOf(int held, int missing, int length) =>
        held == None ? 0
        : held == 0 && missing == length ? length - 1
        : held + ((missing - held) / 2);

    private int FindHolder(in ShardRef shard) =>
        _workers.TryGetValue(shard.WorkerId, out var worker) && worker.Shards.TryGetValue(shard.ShardId, out var known) && known.Range == shard.Range
            ? known.Holder
            : -1;

    private bool Apply(IndexedWorker worker, ShardBlocks blocks)
    {
        var isKnown = worker.Shards.TryGetValue(blocks.ShardId, out var shard);
        if (isKnown && (blocks.Clear || shard.Range != blocks.Range))
        {
            worker.Shards.Remove(blocks.ShardId);
            _forgotten.Enqueue(shard.Holder);
            isKnown = false;
        }

        if (!isKnown && blocks.Added.IsEmpty)
        {
            return true;
        }

        if (!isKnown)
        {
            if (worker.Shards.Count >= BlockLimits.MaxShards)
            {
                return false;
            }

            shard = new IndexedShard(_freeHolders.TryPop(out var free) ? free : _holderCount++, blocks.Range);
            worker.Shards.Add(blocks.ShardId, shard);
        }

        foreach (var hash in blocks.Evicted)
        {
            _evicted += _table.Remove(shard.Holder, hash) ? 1 : 0;
        }

        foreach (var hash in blocks.Added)
        {
            Add(shard.Holder, hash);
        }

        return true;
    }

    private void Add(int holder, UInt128 hash)
    {
        if (_table.Count == _table.Capacity && !_table.Contains(holder, hash))
        {
            Sweep(1);
            if (_table.Count == _table.Capacity)
            {
                _crowded += _table.RemoveOldest(FindLargest(), 1);
            }
        }

        _added += _table.Add(holder, hash) ? 1 : 0;
    }

    /// <summary>The largest shard of the worker that holds most; of several the one that was heard of first.</summary>
    private int FindLargest()
    {
        var (most, largest) = (0, -1);
        foreach (var worker in _workers.Values)
        {
            var (sum, greatest, holder) = (0, 0, -1);
            foreach (var shard in worker.Shards.Values)
            {
                var count = _table.CountOf(shard.Holder);
                sum += count;
                if (count > greatest)
                {
                    (greatest, holder) = (count, shard.Holder);
                }
            }

            if (sum > most)
            {
                (most, largest) = (sum, holder);
            }
        }

        return largest;
    }

    /// <summary>Nothing of a worker counts until it begins anew.</summary>
    private void Distrust(IndexedWorker worker, TimeSpan askAt)
    {
        if (worker.IsUsable)
        {
            worker.IsUsable = false;
            _usable--;
        }

        foreach (var shard in worker.Shards.Values)
        {
            _forgotten.Enqueue(shard.Holder);
        }

        worker.Shards.Clear();
        (worker.AskAt, worker.AskPause) = (askAt, _options.FirstAsk);
    }

    /// <summary>Frees places of forgotten shards.</summary>
    private void Sweep(int most)
    {
        while (most > 0 && _forgotten.TryPeek(out var holder))
        {
            most -= _table.RemoveOldest(holder, most);
            if (_table.CountOf(holder) > 0)
            {
                return;
            }

            _freeHolders.Push(_forgotten.Dequeue());
        }
    }
}
