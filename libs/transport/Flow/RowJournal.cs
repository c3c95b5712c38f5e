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
/// acknowledged (it is needed again only if that hop is lost) goes to the spill file; without one, or when that is full
/// or too slow, it is dropped and can be rebuilt. When there is no such chunk, the row is refused and the owner computes
/// no further for this session until an acknowledgement. An owner that must know before it computes reserves: a reserved
/// position is kept room for until it is put or its reservation ends.
/// What is in the file is read back ahead of <see cref="Read"/>, <see cref="ReadAhead"/> chunks, and let go behind it.
/// </remarks>
public sealed class RowJournal : IDisposable
{
    /// <summary>Chunks read back before they are asked for: while the link sends one, the disk brings the next.</summary>
    internal const int ReadAhead = 4;

    private const int ChunkBytes = 64 * 1024;
    private const int None = -1;

    private readonly TensorBufferPool _pool;
    private readonly JournalBudget _budget;
    private readonly JournalSpill? _spill;
    private readonly SortedList<int, TensorBuffer> _chunks = [];
    private readonly Dictionary<int, SpilledChunk> _spilled = []; // none of them in _chunks
    private readonly PositionSet _reserved = new(); // their chunks are open and stay
    private readonly int _chunkBytes;
    private int _readingFrom; // the spilled chunks in [from, to) are wanted in memory
    private int _readingTo;
    private bool _isServed; // the first of them has been read
    private int _reopening = None; // the spilled chunk that is to be written to again

    /// <summary>A journal of rows of <paramref name="rowBytes"/> bytes.</summary>
    public RowJournal(TensorBufferPool pool, JournalBudget budget, int rowBytes, JournalSpill? spill = null)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(budget);
        ArgumentOutOfRangeException.ThrowIfNegative(rowBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rowBytes, TensorBufferPool.MaxLength - sizeof(int));
        (_pool, _budget, _spill, RowBytes) = (pool, budget, spill, rowBytes);
        ChunkRows = ChunkRowsOf(rowBytes);
        _chunkBytes = ChunkBytesOf(rowBytes);
    }

    /// <summary>Bytes of a row.</summary>
    public int RowBytes { get; }

    /// <summary>Positions a chunk holds, aligned: chunk c holds [c * rows, (c + 1) * rows).</summary>
    public int ChunkRows { get; }

    /// <summary>Bytes booked.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// Whether the last <see cref="TryPut"/> or <see cref="TryReserve"/> was refused because a chunk has to come back from
    /// the file first: memory that others give up does not help, the spill's wake tells when to try again.
    /// </summary>
    public bool AwaitsSpill { get; private set; }

    /// <summary>Bytes of a chunk of a journal whose rows have so many bytes.</summary>
    public static int ChunkBytesOf(int rowBytes) => ChunkRowsOf(rowBytes) * (rowBytes + sizeof(int));

    /// <summary>
    /// Keeps the output of a position and tells <paramref name="sender"/>; false when memory is spent, or
    /// <see cref="AwaitsSpill"/>.
    /// </summary>
    public bool TryPut(HopSender sender, int position, int tokenId, ReadOnlySpan<byte> row)
    {
        ArgumentNullException.ThrowIfNull(sender);
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        if (row.Length != RowBytes)
        {
            throw new ArgumentException($"A row of this journal has {RowBytes} bytes, not {row.Length}.", nameof(row));
        }

        AwaitsSpill = false;
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
    /// <returns>False when memory is spent, or <see cref="AwaitsSpill"/>.</returns>
    public bool TryReserve(HopSender sender, int first, int count)
    {
        ArgumentNullException.ThrowIfNull(sender);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, int.MaxValue - first);
        AwaitsSpill = false;
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

            var hasRows = _spilled.ContainsKey(chunk);
            if (!TryOpen(sender, chunk, range))
            {
                opened?.ForEach(key => Free(_chunks.IndexOfKey(key)));
                return false;
            }

            if (!hasRows)
            {
                (opened ??= []).Add(chunk);
            }
        }

        _reserved.Add(range.Start, range.End);
        return true;
    }

    /// <summary>The owner has thrown away the work it had reserved room for; its chunks may be dropped like others.</summary>
    public void EndReservations()
    {
        _reserved.Clear();
        StopReopening();
    }

    /// <summary>
    /// Frees the memory of the oldest chunk whose rows the next hop has all acknowledged: how an owner reclaims memory from
    /// one session for another. The chunk goes to the spill file, or is dropped and <paramref name="sender"/> told. Chunks
    /// with a reserved position stay.
    /// </summary>
    /// <returns>False when there is none.</returns>
    public bool TryDropOldest(HopSender sender)
    {
        ArgumentNullException.ThrowIfNull(sender);
        return TryDropOldest(sender, default);
    }

    /// <summary>
    /// The rows from <paramref name="first"/> on, at most <paramref name="count"/> and at most to the end of the chunk;
    /// they live until the journal changes or is read elsewhere.
    /// </summary>
    /// <returns>
    /// Ids and payload [rows, row bytes]. Both empty when the position is not held, is on its way back from the spill
    /// file, or turned out to be damaged there, which <paramref name="sender"/> is told. The last two end in the spill's
    /// wake: ask the sender again what is next.
    /// </returns>
    public JournalRows Read(HopSender sender, int first, int count)
    {
        ArgumentNullException.ThrowIfNull(sender);
        var (chunk, slot) = Math.DivRem(first, ChunkRows);
        if (_chunks.TryGetValue(chunk, out var buffer))
        {
            ReleaseServed();
            return Rows(buffer, slot, count);
        }

        if (!_spilled.TryGetValue(chunk, out var spilled))
        {
            return default;
        }

        var access = _spill!.Want(spilled);
        WantOnly(chunk, chunk + 1 + ReadAhead);
        switch (access)
        {
            case SpillAccess.AtHand:
                _isServed = true;
                return Rows(spilled.Bytes!, slot, count);
            case SpillAccess.Lost:
                Forget(sender, chunk);
                _spill.Wake();
                return default;
            default:
                return default;
        }
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

        if (_spilled.Count > 0)
        {
            WantOnly(0, 0);
            foreach (var chunk in _spilled.Keys.Where(chunk => (long)chunk * ChunkRows >= keep).ToArray())
            {
                ReleaseSpilled(chunk);
            }
        }
    }

    /// <summary>Frees everything.</summary>
    public void Dispose() => Truncate(0);

    private static int ChunkRowsOf(int rowBytes) => Math.Clamp(ChunkBytes / (rowBytes + sizeof(int)), 1, 1024);

    // Makes sure that the chunk is there. `needed` lies in chunks that must not make room for it.
    private bool TryOpen(HopSender sender, int chunk, PositionRange needed)
    {
        if (_chunks.ContainsKey(chunk))
        {
            return true;
        }

        if (!TryBringBack(sender, chunk))
        {
            return false;
        }

        while (!_budget.TryTake(_chunkBytes))
        {
            if (!TryDropOldest(sender, needed))
            {
                return false;
            }
        }

        Bytes += _chunkBytes;
        var buffer = _pool.Rent(_chunkBytes, "journal");
        if (_spilled.TryGetValue(chunk, out var spilled))
        {
            spilled.Bytes!.Span.CopyTo(buffer.Span);
            ReleaseSpilled(chunk);
        }

        _chunks.Add(chunk, buffer);
        return true;
    }

    // A chunk in the file that is to have more rows: false while its bytes are not in memory.
    private bool TryBringBack(HopSender sender, int chunk)
    {
        if (!_spilled.TryGetValue(chunk, out var spilled))
        {
            return true;
        }

        if (_reopening != chunk)
        {
            StopReopening();
            _reopening = chunk;
        }

        switch (_spill!.Want(spilled))
        {
            case SpillAccess.OnItsWay:
                AwaitsSpill = true;
                return false;
            case SpillAccess.Lost:
                Forget(sender, chunk);
                return true;
            default:
                return true;
        }
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
                if (!TrySpill(i))
                {
                    sender.Forget(start, ChunkRows);
                    Free(i);
                }

                return true;
            }
        }

        return false;
    }

    private bool TrySpill(int index)
    {
        var buffer = _chunks.Values[index];
        if (_spill?.TryAdd(buffer) is not { } spilled)
        {
            return false;
        }

        _spilled.Add(_chunks.Keys[index], spilled); // and the buffer is the spill's
        Unbook(index);
        return true;
    }

    private void Free(int index)
    {
        var buffer = _chunks.Values[index];
        Unbook(index);
        buffer.Dispose();
    }

    private void Unbook(int index)
    {
        Bytes -= _chunkBytes;
        _budget.Release(_chunkBytes);
        _chunks.RemoveAt(index);
    }

    private void Forget(HopSender sender, int spilledChunk)
    {
        sender.Forget(spilledChunk * ChunkRows, ChunkRows);
        ReleaseSpilled(spilledChunk);
    }

    private void ReleaseSpilled(int chunk)
    {
        if (_spilled.Remove(chunk, out var spilled))
        {
            _spill!.Release(spilled);
            _reopening = _reopening == chunk ? None : _reopening;
        }
    }

    private void StopReopening()
    {
        if ((_reopening < _readingFrom || _reopening >= _readingTo) && _spilled.TryGetValue(_reopening, out var spilled))
        {
            _spill!.Unwant(spilled);
        }

        _reopening = None;
    }

    /// <summary>Wants the spilled chunks of [from, to) in memory, the first at once, and no others but the one that is reopened.</summary>
    private void WantOnly(int from, int to)
    {
        for (var chunk = _readingFrom; chunk < _readingTo; chunk++)
        {
            if ((chunk < from || chunk >= to) && chunk != _reopening && _spilled.TryGetValue(chunk, out var behind))
            {
                _spill!.Unwant(behind);
            }
        }

        (_readingFrom, _readingTo, _isServed) = (from, to, false);
        for (var chunk = from + 1; chunk < to; chunk++)
        {
            if (_spilled.TryGetValue(chunk, out var ahead))
            {
                _spill!.Want(ahead, ahead: true);
            }
        }
    }

    /// <summary>
    /// Whoever read from the file reads from memory now, or somebody else does: what has been read may go, what was asked
    /// for and has not come yet is still awaited.
    /// </summary>
    private void ReleaseServed()
    {
        if (_isServed)
        {
            if (_readingFrom != _reopening && _spilled.TryGetValue(_readingFrom, out var served))
            {
                _spill!.Unwant(served);
            }

            (_readingFrom, _isServed) = (_readingFrom + 1, false);
        }
    }

    private JournalRows Rows(TensorBuffer buffer, int slot, int count)
    {
        var rows = Math.Min(count, ChunkRows - slot);
        return new JournalRows(
            MemoryMarshal.Cast<byte, int>(buffer.Span.Slice(slot * sizeof(int), rows * sizeof(int))),
            buffer.Span.Slice(Offset(slot), rows * RowBytes));
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
