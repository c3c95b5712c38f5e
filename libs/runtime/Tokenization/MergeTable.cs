using System.Numerics;

namespace Parallax.Runtime.Tokenization;

/// <summary>Which pairs of neighbouring tokens merge, into what, and which of them first.</summary>
internal sealed class MergeTable
{
    private readonly ulong[] _keys; // left id in the upper half, right id in the lower, plus one; 0 is free
    private readonly int[] _values; // the merge's index
    private readonly int[] _merged;
    private readonly int[]? _priorities;
    private readonly int _shift;

    private MergeTable(int capacity, int[] merged, int[]? priorities)
    {
        var size = BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, capacity + (capacity / 3)));
        _keys = new ulong[size];
        _values = new int[size];
        _shift = 64 - BitOperations.Log2(size);
        _merged = merged;
        _priorities = priorities;
    }

    /// <summary>
    /// A table of merges, earlier ones first.
    /// </summary>
    /// <param name="merges">The pairs and what they become; of equal pairs the last counts.</param>
    /// <param name="priorities">
    /// The merges' priorities, lower first, when several may share one; null: their places in the list.
    /// </param>
    public static MergeTable Create(List<(int Left, int Right, int Merged)> merges, int[]? priorities = null)
    {
        var table = new MergeTable(merges.Count, new int[merges.Count], priorities);
        for (var i = 0; i < merges.Count; i++)
        {
            var (left, right, merged) = merges[i];
            var slot = table.SlotOf(Key(left, right));
            table._keys[slot] = Key(left, right);
            table._values[slot] = i;
            table._merged[i] = merged;
        }

        return table;
    }

    /// <summary>The index of the merge of two tokens, or -1.</summary>
    public int Find(int left, int right)
    {
        var slot = SlotOf(Key(left, right));
        return _keys[slot] == 0 ? -1 : _values[slot];
    }

    /// <summary>What a merge makes.</summary>
    public int Merged(int index) => _merged[index];

    /// <summary>A merge's priority: the lowest goes first, of equal ones the leftmost.</summary>
    public int Priority(int index) => _priorities is null ? index : _priorities[index];

    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) + 1;

    private int SlotOf(ulong key)
    {
        var slot = (int)(SeededHash.Of(key) * 0x9E3779B97F4A7C15 >> _shift);
        while (_keys[slot] is var found and not 0 && found != key)
        {
            slot = (slot + 1) & (_keys.Length - 1);
        }

        return slot;
    }
}
