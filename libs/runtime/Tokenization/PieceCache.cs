namespace Parallax.Runtime.Tokenization;

/// <summary>
/// Remembers the ids of short pieces of text. Of fixed size: a piece takes the place of the one that it collides
/// with. Threads share it without locks, because an entry is immutable and replaced as a whole.
/// </summary>
internal sealed class PieceCache
{
    /// <summary>The longest piece that is remembered, in UTF-16 units.</summary>
    public const int MaxLength = 32;

    private const int Size = 1 << 14;

    private readonly Entry?[] _entries = new Entry?[Size];

    public bool TryGet(ReadOnlySpan<char> piece, out ReadOnlySpan<int> ids)
    {
        var entry = Volatile.Read(ref _entries[SlotOf(piece)]);
        if (entry is not null && piece.SequenceEqual(entry.Piece))
        {
            ids = entry.Ids;
            return true;
        }

        ids = default;
        return false;
    }

    public void Set(ReadOnlySpan<char> piece, ReadOnlySpan<int> ids) =>
        Volatile.Write(ref _entries[SlotOf(piece)], new Entry(piece.ToString(), ids.ToArray()));

    private static int SlotOf(ReadOnlySpan<char> piece) => string.GetHashCode(piece) & (Size - 1);

    private sealed record Entry(string Piece, int[] Ids);
}
