using System.Runtime.InteropServices;
using System.Text;

namespace Parallax.Runtime.Tokenization;

/// <summary>
/// Byte-pair encoding of one piece of text. The first symbols are bytes (byte-level vocabularies) or characters, and
/// then a character without a token becomes its bytes' tokens, or the unknown token. Thread-safe.
/// </summary>
internal sealed class BpeModel
{
    private const int MaxStack = 256;

    private readonly MergeTable _merges;
    private readonly TokenIndex _index;
    private readonly int[] _byteTokens;
    private readonly PieceCache _cache = new();

    /// <param name="index">The vocabulary by its bytes.</param>
    /// <param name="merges">The merges.</param>
    /// <param name="byteTokens">For each byte the id of its token, or -1.</param>
    public BpeModel(TokenIndex index, MergeTable merges, int[] byteTokens)
    {
        _index = index;
        _merges = merges;
        _byteTokens = byteTokens;
    }

    /// <summary>Whether the first symbols are bytes, not characters.</summary>
    public required bool IsByteLevel { get; init; }

    /// <summary>Whether a piece that is a token as a whole is that token, whatever the merges say.</summary>
    public required Func<int, bool>? WholePieceToken { get; init; }

    /// <summary>Whether a character without a token becomes its bytes' tokens.</summary>
    public required bool HasByteFallback { get; init; }

    /// <summary>The token of what has no other; null drops it.</summary>
    public required int? UnknownId { get; init; }

    /// <summary>Whether unknown characters in a row are one unknown token.</summary>
    public required bool FuseUnknown { get; init; }

    /// <summary>Appends a piece's ids.</summary>
    public void Encode(ReadOnlySpan<char> piece, List<int> output)
    {
        if (piece.Length > PieceCache.MaxLength)
        {
            EncodeUncached(piece, output);
            return;
        }

        if (_cache.TryGet(piece, out var known))
        {
            output.AddRange(known);
            return;
        }

        var start = output.Count;
        EncodeUncached(piece, output);
        _cache.Set(piece, CollectionsMarshal.AsSpan(output)[start..]);
    }

    private void EncodeUncached(ReadOnlySpan<char> piece, List<int> output)
    {
        var bound = Encoding.UTF8.GetMaxByteCount(piece.Length);
        var utf8 = bound <= MaxStack ? stackalloc byte[MaxStack] : new byte[Encoding.UTF8.GetByteCount(piece)];
        utf8 = utf8[..Encoding.UTF8.GetBytes(piece, utf8)];
        if (WholePieceToken is { } allowed && _index.Find(utf8) is var whole and >= 0 && allowed(whole))
        {
            output.Add(whole);
            return;
        }

        var symbols = utf8.Length <= MaxStack ? stackalloc int[MaxStack] : new int[utf8.Length];
        symbols = symbols[..(IsByteLevel ? ByteSymbols(utf8, symbols) : CharacterSymbols(utf8, symbols))];
        output.AddRange(symbols[..BpeMerger.Merge(symbols, _merges)]);
    }

    private int ByteSymbols(ReadOnlySpan<byte> utf8, Span<int> symbols)
    {
        var count = 0;
        var afterUnknown = false;
        foreach (var value in utf8)
        {
            Add(_byteTokens[value], symbols, ref count, ref afterUnknown);
        }

        return count;
    }

    private int CharacterSymbols(ReadOnlySpan<byte> utf8, Span<int> symbols)
    {
        var count = 0;
        var afterUnknown = false;
        while (!utf8.IsEmpty)
        {
            Rune.DecodeFromUtf8(utf8, out _, out var length);
            var character = utf8[..length];
            utf8 = utf8[length..];
            var id = _index.Find(character);
            if (id < 0 && HasByteFallback && HasAllBytes(character))
            {
                foreach (var value in character)
                {
                    Add(_byteTokens[value], symbols, ref count, ref afterUnknown);
                }
            }
            else
            {
                Add(id, symbols, ref count, ref afterUnknown);
            }
        }

        return count;
    }

    private bool HasAllBytes(ReadOnlySpan<byte> character)
    {
        foreach (var value in character)
        {
            if (_byteTokens[value] < 0)
            {
                return false;
            }
        }

        return true;
    }

    private void Add(int id, Span<int> symbols, ref int count, ref bool afterUnknown)
    {
        if (id >= 0)
        {
            symbols[count++] = id;
            afterUnknown = false;
        }
        else if (UnknownId is { } unknown && !(FuseUnknown && afterUnknown))
        {
            symbols[count++] = unknown;
            afterUnknown = true;
        }
    }
}
