using System.Collections.Immutable;
using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Blocks;

/// <summary>
/// Copies filled blocks out of a shard, part by part and off the path of any step, and offers them. A block that is evicted
/// before its turn is left out. Owned by one loop, not thread-safe.
/// </summary>
/// <remarks>
/// What waits is known by its hash alone and holds no block: a shard short of room evicts as if nobody wrote.
/// </remarks>
internal sealed class BlockWriter
{
    private static readonly TimeSpan RetryTime = TimeSpan.FromMilliseconds(5);

    private readonly PagedKvCache _cache;
    private readonly IModelShard _shard;
    private readonly BlockOutputs? _outputs;
    private readonly BlockExchangeOptions _options;
    private readonly EngineCounters _counters;
    private readonly BlockLayout _layout;
    private readonly Queue<UInt128> _pending = new();
    private readonly Queue<UInt128> _again = new(); // offered before, to an exchange that may have lost them; parents before children
    private long _generation; // of the exchange, that shared blocks were offered to
    private bool _isAgain;    // whether the block at hand, or the refused one, is of those
    private ImmutableArray<BlockPart>.Builder? _parts; // of the block at hand, in order
    private UInt128 _hash;
    private BlockOffer? _refused; // a block of a drain, or offered again, that the exchange had no room for
    private TimeSpan _retryDue;
    private BlockDrain? _drain;

    public BlockWriter(
        PagedKvCache cache, IModelShard shard, BlockLayout layout, BlockOutputs? outputs, BlockExchangeOptions options, EngineCounters counters)
    {
        (_cache, _shard, _layout, _outputs, _options, _counters) = (cache, shard, layout, outputs, options, counters);
        cache.Filled = OnFilled;
        _generation = options.Exchange.Generation;
    }

    private bool MustOfferAgain => _options.WriteBytesPerSecond > 0 && _options.Exchange.Generation != _generation && _options.Exchange.IsOpen;

    /// <summary>Whether there is something to copy or to offer.</summary>
    public bool HasWork => _parts is not null || _refused is not null || _pending.Count > 0 || _again.Count > 0 || _drain is not null || MustOfferAgain;

    /// <summary>Whether a drain is under way.</summary>
    public bool IsDraining => _drain is not null;

    /// <summary>Bytes of the largest part.</summary>
    public int LargestPart => _layout.LargestPart;

    /// <summary>When an exchange without room is asked again; TimeSpan.Zero: there is nothing to wait for.</summary>
    public TimeSpan RetryDue => _refused is null ? TimeSpan.Zero : _retryDue;

    /// <summary>Hands over everything that others lack, whatever waits already included. One at a time: an earlier one ends as cancelled.</summary>
    public void Drain(BlockDrain drain)
    {
        _drain?.Dispose();
        _drain = drain;
        foreach (var hash in _cache.Prefixes.Unshared())
        {
            drain.Left.Enqueue(hash);
        }

        EndDrainWhenDone();
    }

    /// <summary>The engine stops: nothing more is copied.</summary>
    public void Stop()
    {
        _drain?.Dispose();
        _drain = null;
        _cache.Filled = null;
    }

    /// <summary>Copies part after part, as long as the next one fits into <paramref name="bytes"/>.</summary>
    /// <returns>Bytes copied; 0 when there is nothing to do now.</returns>
    public long Copy(TimeSpan now, long bytes)
    {
        if (_drain is { IsCancelled: true })
        {
            _drain.Dispose();
            (_drain, _refused) = (null, null);
        }

        if (MustOfferAgain)
        {
            OfferAgain();
        }

        var copied = 0L;
        while (TryGoOn(now) && copied + NextPartBytes() <= bytes)
        {
            copied += CopyPart(now);
        }

        EndDrainWhenDone();
        return copied;
    }

    private void OnFilled(UInt128 hash)
    {
        if (_options.WriteBytesPerSecond == 0 || !_options.Exchange.IsOpen)
        {
            return;
        }

        if (_pending.Count == _options.PendingBlocks)
        {
            _pending.Dequeue();
            _counters.AddBlocksDropped(1);
        }

        _pending.Enqueue(hash);
    }

    /// <summary>The exchange may have lost what it was given: all of it is offered once more, behind what fills meanwhile.</summary>
    private void OfferAgain()
    {
        _generation = _options.Exchange.Generation;
        _cache.Prefixes.MarkAllUnshared();
        _again.Clear();
        foreach (var hash in _cache.Prefixes.Unshared())
        {
            _again.Enqueue(hash);
        }
    }

    /// <summary>Finds the next block to copy when none is at hand; false when there is none, or its turn has not come.</summary>
    private bool TryGoOn(TimeSpan now)
    {
        if (_refused is { } refused)
        {
            if (now < _retryDue || !TryOffer(refused, now))
            {
                return false;
            }
        }

        while (_parts is null)
        {
            _isAgain = false;
            if (!_pending.TryDequeue(out _hash) && _drain?.Left.TryDequeue(out _hash) is not true && !(_isAgain = _again.TryDequeue(out _hash)))
            {
                return false;
            }

            if (FindWhole(_hash) is var node and not PrefixCache.None)
            {
                if (!_cache.Prefixes.IsShared(node))
                {
                    _parts = ImmutableArray.CreateBuilder<BlockPart>(_layout.Layers.Length + 1);
                }
            }
            else if (!_isAgain)
            {
                _counters.AddBlocksDropped(1);
            }
        }

        return true;
    }

    private int NextPartBytes() => _parts!.Count < _layout.Layers.Length ? _layout.Layers[_parts.Count].Shape.Bytes : _layout.Outputs.Bytes;

    /// <summary>The node of a block that is held in every group; -1 when it has been evicted, from one group or all.</summary>
    private int FindWhole(UInt128 hash)
    {
        var node = _cache.Prefixes.FindHash(hash);
        for (var g = 0; node != PrefixCache.None && g < _cache.GroupCount; g++)
        {
            if (_cache.Prefixes.Block(node, g) == PrefixCache.None)
            {
                return PrefixCache.None;
            }
        }

        return node;
    }

    /// <summary>Copies the next part of the block at hand, and offers the block with the last.</summary>
    /// <returns>Bytes copied.</returns>
    private int CopyPart(TimeSpan now)
    {
        var node = FindWhole(_hash);
        if (node == PrefixCache.None)
        {
            _parts = null;
            _counters.AddBlocksDropped(1);
            return 0;
        }

        var copied = 0;
        if (_parts!.Count < _layout.Layers.Length)
        {
            var layer = _layout.Layers[_parts.Count];
            var bytes = GC.AllocateUninitializedArray<byte>(layer.Shape.Bytes);
            if (!_shard.ReadKv(layer.Index, _cache.Prefixes.Block(node, layer.Group), bytes.AsSpan(BlockPartForm.HeaderBytes)))
            {
                _parts = null;
                _counters.AddBlocksDropped(1);
                return bytes.Length;
            }

            copied = Add(new BlockPartAddress(_hash, BlockPartKind.Kv, layer.Index), layer.Shape, bytes);
            if (_parts.Count < _layout.Layers.Length || _outputs is not null)
            {
                return copied;
            }
        }
        else
        {
            var bytes = GC.AllocateUninitializedArray<byte>(_layout.Outputs.Bytes);
            if (_outputs!.TryRead(_cache.Prefixes.Block(node, 0), bytes.AsSpan(BlockPartForm.HeaderBytes)))
            {
                copied = Add(new BlockPartAddress(_hash, BlockPartKind.Outputs, _layout.Layers[^1].Index), _layout.Outputs, bytes);
            }
        }

        var offer = new BlockOffer(
            _cache.Prefixes.SaltOf(node),
            _hash,
            _cache.Prefixes.HashOf(_cache.Prefixes.Parent(node)),
            _cache.Prefixes.DepthOf(node) - 1,
            [.. _cache.Prefixes.TokensOf(node)],
            _parts.DrainToImmutable());
        _parts = null;
        TryOffer(offer, now);
        return copied;
    }

    private int Add(BlockPartAddress address, BlockPartShape shape, byte[] bytes)
    {
        BlockPartForm.WriteHeader(address, shape, bytes);
        _parts!.Add(new BlockPart(address, bytes, BlockPartForm.Checksum(bytes)));
        return bytes.Length;
    }

    /// <summary>Offers a block; one of a drain, or offered again, is kept when there is no room for it, and offered later.</summary>
    private bool TryOffer(BlockOffer offer, TimeSpan now)
    {
        if (!_options.Exchange.Offer(offer))
        {
            if (_isAgain && !_options.Exchange.IsOpen)
            {
                _again.Clear(); // nobody is there: whoever comes is offered all of it
            }
            else if (_drain is not null || _isAgain)
            {
                (_refused, _retryDue) = (offer, now + RetryTime);
                return false;
            }

            _refused = null;
            _counters.AddBlocksDropped(1);
            return false;
        }

        _refused = null;
        _counters.AddBlocksOffered(1);
        if (_cache.Prefixes.FindHash(offer.Hash) is var node and not PrefixCache.None)
        {
            _cache.Prefixes.MarkShared(node);
        }

        _drain?.Note(_drain.Left.Count + _pending.Count + _again.Count);
        return true;
    }

    private void EndDrainWhenDone()
    {
        if (_drain is { Left.Count: 0 } drain && _pending.Count == 0 && _again.Count == 0 && _parts is null && _refused is null)
        {
            drain.Done.TrySetResult(new BlockDrainProgress(drain.Handed, drain.Handed));
            _drain = null;
        }
    }
}
