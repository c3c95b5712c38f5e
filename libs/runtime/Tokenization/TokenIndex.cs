using System.Numerics;

namespace Parallax.Runtime.Tokenization;

/// <summary>Finds a token's id by its bytes: a hash table over a <see cref="TokenTable"/>.</summary>
internal sealed class TokenIndex
{
    private readonly TokenTable _tokens;
    private readonly int[] _slots; // id + 1, 0 is free
    private readonly int _shift;

    /// <param name="tokens">The tokens' bytes.</param>
    /// <param name="capacity">At least the number of tokens that will be added.</param>
    public TokenIndex(TokenTable tokens, int capacity)
    {
        _tokens = tokens;
        var size = BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, capacity + (capacity / 2)));
        _slots = new int[size];
        _shift = 64 - BitOperations.Log2(size);
    }

    /// <summary>Adds an id under its bytes; false, changing nothing, when another id has the same bytes.</summary>
    public bool TryAdd(int id)
    {
        var slot = SlotOf(_tokens[id]);
        if (_slots[slot] != 0)
        {
            return false;
        }

        _slots[slot] = id + 1;
        return true;
    }

    /// <summary>The id of a token by its bytes, or -1.</summary>
    public int Find(ReadOnlySpan<byte> token) => _slots[SlotOf(token)] - 1;

    private int SlotOf(ReadOnlySpan<byte> token)
    {
        var slot = (int)(SeededHash.Of(token) * 0x9E3779B97F4A7C15 >> _shift);
        while (_slots[slot] is var entry and not 0 && !_tokens[entry - 1].SequenceEqual(token))
        {
            slot = (slot + 1) & (_slots.Length - 1);
        }

        return slot;
    }
}
