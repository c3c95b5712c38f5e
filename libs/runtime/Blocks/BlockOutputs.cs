using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Blocks;

/// <summary>
/// The hidden states that leave a shard, kept beside its KV: rows by physical block of the first KV group, so that both
/// live and go together. Memory is taken when a block is first used. Owned by one loop, not thread-safe.
/// </summary>
/// <param name="blocks">Physical blocks of the first group.</param>
/// <param name="rowBytes">Bytes of one position's row.</param>
internal sealed class BlockOutputs(int blocks, int rowBytes)
{
    private const ushort All = 0xFFFF;

    private readonly byte[]?[] _rows = new byte[]?[blocks];
    private readonly ushort[] _held = new ushort[blocks]; // a bit per position

    /// <summary>Bytes of one block's rows.</summary>
    public int BlockBytes => KvGroup.BlockTokens * rowBytes;

    /// <summary>Bytes taken so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Keeps the row of a position as it was computed.</summary>
    /// <param name="block">The physical block.</param>
    /// <param name="slot">Place in the block. A block is filled from slot 0 on, which makes what it held before void.</param>
    /// <param name="row">The row.</param>
    /// <param name="isAgain">Whether the position had been computed before into this very block.</param>
    public void Put(int block, int slot, ReadOnlySpan<byte> row, bool isAgain)
    {
        row.CopyTo(RoomOf(block).AsSpan(slot * rowBytes, rowBytes));
        var before = slot == 0 && !isAgain ? 0 : _held[block];
        _held[block] = (ushort)(before | (1 << slot));
    }

    /// <summary>Whether the row is held.</summary>
    public bool Holds(int block, int slot) => (_held[block] & (1 << slot)) != 0;

    /// <summary>The row of a position that <see cref="Holds"/> says is held; valid until the block is used again.</summary>
    public ReadOnlySpan<byte> Row(int block, int slot) => _rows[block].AsSpan(slot * rowBytes, rowBytes);

    /// <summary>Copies all 16 rows of a block; false, and nothing is copied, when one is not held.</summary>
    public bool TryRead(int block, Span<byte> rows)
    {
        if (_held[block] != All)
        {
            return false;
        }

        _rows[block].CopyTo(rows);
        return true;
    }

    /// <summary>A block that came from elsewhere with these rows; empty: without any.</summary>
    public void Write(int block, ReadOnlySpan<byte> rows)
    {
        _held[block] = 0;
        if (!rows.IsEmpty)
        {
            rows.CopyTo(RoomOf(block));
            _held[block] = All;
        }
    }

    private byte[] RoomOf(int block)
    {
        if (_rows[block] is { } rows)
        {
            return rows;
        }

        Bytes += BlockBytes;
        return _rows[block] = GC.AllocateUninitializedArray<byte>(BlockBytes);
    }
}
