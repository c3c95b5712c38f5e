using System.Runtime.InteropServices;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>
/// The outputs that a stage keeps for its next hop, in the precision of the numeric class: rows of bytes by position, in
/// pooled chunks, with the token ids of their positions. What is here is what <see cref="HopSender.Out"/> names: the two
/// are changed together. Owned by one loop, not thread-safe.
/// </summary>
/// <remarks>
/// Memory: chunks are booked on a budget. When it is spent, the oldest chunk of this session that the next hop has
/// acknowledged goes (it is needed again only if that hop is lost, and can then be rebuilt); when there is none, the row
/// is refused and the owner computes no further for this session until an acknowledgement. An owner that must know before
/// it computes reserves: a reserved position is kept room for until it is put or its reservation ends.
/// </remarks>
public sealed class RowJournal : IDisposable
{
    private const int ChunkBytes = 64 * 1024;

    private readonly TensorBufferPool _pool;
    private readonly JournalBudget _budget;
    private readonly SortedList<int, TensorBuffer> _chunks = [];
    private readonly PositionSet _reserved = new(); // their chunks are open and stay

    /// <summary>A journal of rows of <paramref name="rowBytes"/> bytes.</summary>
    public RowJournal(TensorBufferPool pool, JournalBudget budget, int rowBytes)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(budget);
        ArgumentOutOfRangeException.ThrowIfNegative(rowBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rowBytes, TensorBufferPool.MaxLength - sizeof(int));
        (_pool, _budget, RowBytes) = (pool, budget, rowBytes);
        ChunkRows = Math.Clamp(ChunkBytes / (rowBytes + sizeof(int)), 1, 1024);
    }

    /// <summary>Bytes of a row.</summary>
    public int RowBytes { get; }

    /// <summary>Positions a chunk holds, aligned: chunk c holds [c * rows, (c + 1) * rows).</summary>
    public int ChunkRows { get; }

    /// <summary>Bytes booked.</summary>
    public long Bytes { get; private set; }

    /// <summary>Keeps the output of a position and tells <paramref name="sender"/>; false when memory is spent.</summary>
    public bool TryPut(HopSender sender, int position, int tokenId, ReadOnlySpan<byte> row)
    {
        ArgumentNullException.ThrowIfNull(sender);
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        if (row.Length != RowBytes)
        {
            throw new ArgumentException($"A row of this journal has {RowBytes} bytes, not {row.Length}.", nameof(row));
        }

        var (chunk, slot) = Math.DivRem(position, ChunkRows);
        if (!TryOpen(sender, chunk, default))
        {
            return false;
        }

        var buffer = _chunks[chunk];
        MemoryMarshal.Write(buffer.Span[(slot * sizeof(int))..], tokenId);
        row.CopyTo(buffer.Span[Offset(slot)..]);
        _reserved.Remove(position, position + 1);
        sender.Produced(position, 1);
        return true;
    }

    /// <summary>
    /// Opens the chunks of [first, first + count), so that <see cref="TryPut"/> of these positions cannot fail until they
    /// are put, <see cref="Truncate"/> or <see cref="EndReservations"/>. All or nothing; what was dropped to make room
    /// stays dropped.
    /// </summary>
    /// <returns>False when memory is spent.</returns>
    public bool TryReserve(HopSender sender, int first, int count)
    {
        ArgumentNullException.ThrowIfNull(sender);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, int.MaxValue - first);
        if (count == 0)
        {
            return true;
        }

        var range = new PositionRange(first, first + count);
        var (firstChunk, lastChunk) = (first / ChunkRows, (first + count - 1) / ChunkRows);
        List<int>? opened = null; // most reservations find their chunk open
        for (var chunk = firstChunk; chunk <= lastChunk; chunk++)
        {
            if (_chunks.ContainsKey(chunk))
            {
                continue;
            }

            if (!TryOpen(sender, chunk, range))
            {
                opened?.ForEach(key => Free(_chunks.IndexOfKey(key)));
                return false;
            }

            (opened ??= []).Add(chunk);
        }

        _reserved.Add(range.Start, range.End);
        return true;
    }

    /// <summary>The owner has thrown away the work it had reserved room for; its chunks may be dropped like others.</summary>
    public void EndReservations() => _reserved.Clear();

    /// <summary>
    /// Drops the oldest chunk whose rows the next hop has all acknowledged, and tells <paramref name="sender"/>: how an
    /// owner reclaims memory from one session for another. Chunks with a reserved position stay.
    /// </summary>
    /// <returns>False when there is none.</returns>
    public bool TryDropOldest(HopSender sender)
    {
        ArgumentNullException.ThrowIfNull(sender);
        return TryDropOldest(sender, default);
    }

    /// <summary>
    /// The rows from <paramref name="first"/> on, at most <paramref name="count"/> and at most to the end of the chunk;
    /// they live until the journal changes.
    /// </summary>
    /// <returns>Ids and payload [rows, row bytes]; both empty when the position is not held.</returns>
    public JournalRows Read(int first, int count)
    {
        var (chunk, slot) = Math.DivRem(first, ChunkRows);
        if (!_chunks.TryGetValue(chunk, out var buffer))
        {
            return default;
        }

        var rows = Math.Min(count, ChunkRows - slot);
        return new JournalRows(
            MemoryMarshal.Cast<byte, int>(buffer.Span.Slice(slot * sizeof(int), rows * sizeof(int))),
            buffer.Span.Slice(Offset(slot), rows * RowBytes));
    }

    /// <summary>
    /// Frees chunks that lie wholly at or above <paramref name="keep"/>; <see cref="HopSender.Resume"/> forgets the
    /// positions. All reservations end: what they were for has been thrown away.
    /// </summary>
    public void Truncate(int keep)
    {
        EndReservations();
        for (var i = _chunks.Count - 1; i >= 0 && (long)_chunks.Keys[i] * ChunkRows >= keep; i--)
        {
            Free(i);
        }
    }

    /// <summary>Frees everything.</summary>
    public void Dispose() => Truncate(0);

    // Makes sure that the chunk is there. `needed` lies in chunks that must not make room for it.
    private bool TryOpen(HopSender sender, int chunk, PositionRange needed)
    {
        if (_chunks.ContainsKey(chunk))
        {
            return true;
        }

        var bytes = ChunkRows * (RowBytes + sizeof(int));
        while (!_budget.TryTake(bytes))
        {
            if (!TryDropOldest(sender, needed))
            {
                return false;
            }
        }

        Bytes += bytes;
        _chunks.Add(chunk, _pool.Rent(bytes, "journal"));
        return true;
    }

    private bool TryDropOldest(HopSender sender, PositionRange needed)
    {
        for (var i = 0; i < _chunks.Count; i++)
        {
            var (start, end) = (_chunks.Keys[i] * ChunkRows, (_chunks.Keys[i] + 1L) * ChunkRows);
            if (end > sender.Acknowledged)
            {
                return false;
            }

            if (!_reserved.TryHull(start, (int)end, out _) && (needed.End <= start || needed.Start >= end))
            {
                sender.Forget(start, ChunkRows);
                Free(i);
                return true;
            }
        }

        return false;
    }

    private void Free(int index)
    {
        var buffer = _chunks.Values[index];
        Bytes -= buffer.Length;
        _budget.Release(buffer.Length);
        buffer.Dispose();
        _chunks.RemoveAt(index);
    }

    private int Offset(int slot) => (ChunkRows * sizeof(int)) + (slot * RowBytes);
}

/// <summary>Rows lent by a journal.</summary>
public readonly ref struct JournalRows
{
    internal JournalRows(ReadOnlySpan<int> tokenIds, ReadOnlySpan<byte> payload)
    {
        TokenIds = tokenIds;
        Payload = payload;
    }

    /// <summary>One id a row.</summary>
    public ReadOnlySpan<int> TokenIds { get; }

    /// <summary>[rows, row bytes].</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>How many rows.</summary>
    public int Count => TokenIds.Length;
}
