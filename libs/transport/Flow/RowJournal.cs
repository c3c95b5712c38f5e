using System.Runtime.InteropServices;
using Parallax.Transport.Buffers;

namespace Parallax.Transport.Flow;

/// <summary>
/// The outputs that a stage keeps for its next hop, in the precision of the numeric class: rows of bytes by position, in
/// pooled chunks, with the token ids of their positions. What is here is what <see cref="HopSender.Out"/> names: the two
/// are changed together. Owned by one loop, not thread-safe.
/// </summary>
/// <remarks>
/// Memory: chunks are booked on a budget. When it is spent, the oldest chunk of this session that the next hop has
/// acknowledged goes (it is needed again only if that hop is lost, and can then be rebuilt); when there is none, the row
/// is refused and the owner computes no further for this session until an acknowledgement.
/// </remarks>
public sealed class RowJournal : IDisposable
{
    private const int ChunkBytes = 64 * 1024;

    private readonly TensorBufferPool _pool;
    private readonly JournalBudget _budget;
    private readonly SortedList<int, TensorBuffer> _chunks = [];

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
        if (!_chunks.TryGetValue(chunk, out var buffer))
        {
            buffer = TryOpen(sender, chunk);
            if (buffer is null)
            {
                return false;
            }
        }

        MemoryMarshal.Write(buffer.Span[(slot * sizeof(int))..], tokenId);
        row.CopyTo(buffer.Span[Offset(slot)..]);
        sender.Produced(position, 1);
        return true;
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

    /// <summary>Frees chunks that lie wholly at or above <paramref name="keep"/>; <see cref="HopSender.Resume"/> forgets the positions.</summary>
    public void Truncate(int keep)
    {
        for (var i = _chunks.Count - 1; i >= 0 && (long)_chunks.Keys[i] * ChunkRows >= keep; i--)
        {
            Free(i);
        }
    }

    /// <summary>Frees everything.</summary>
    public void Dispose() => Truncate(0);

    private TensorBuffer? TryOpen(HopSender sender, int chunk)
    {
        var bytes = ChunkRows * (RowBytes + sizeof(int));
        while (!_budget.TryTake(bytes))
        {
            if (_chunks.Count == 0 || (long)(_chunks.Keys[0] + 1) * ChunkRows > sender.Acknowledged || _chunks.Keys[0] == chunk)
            {
                return null;
            }

            sender.Forget(_chunks.Keys[0] * ChunkRows, ChunkRows);
            Free(0);
        }

        var buffer = _pool.Rent(bytes, "journal");
        Bytes += bytes;
        _chunks.Add(chunk, buffer);
        return buffer;
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
