using System.Buffers;
using System.Text;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization;

/// <summary>
/// A tokenizer of the byte-pair kind, put together from what a model's files say: added tokens, normalizers,
/// pre-tokenizer, merges, begin and end tokens, decoder.
/// </summary>
internal sealed class BpeTokenizer : ITokenizer
{
    private readonly TokenizerParts _parts;
    private readonly bool[] _special;
    private readonly Dictionary<string, int> _named;
    private readonly Matchers _all;
    private readonly Matchers _withoutSpecial;

    public BpeTokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _special = new bool[parts.Decoded.Size];
        _named = new Dictionary<string, int>(parts.NamedTokens, StringComparer.Ordinal);
        foreach (var token in parts.AddedTokens)
        {
            _special[token.Id] = token.Special;
            _named[token.Content] = token.Id;
        }

        _all = MatchersOf(parts.AddedTokens);
        _withoutSpecial = MatchersOf(parts.AddedTokens.Where(token => !token.Special).ToList());
    }

    public int VocabularySize => _parts.Decoded.Size;

    public int LeadingSpaces => _parts.LeadingSpaces;

    public string? BosToken => _parts.BosToken;

    public string? EosToken => _parts.EosToken;

    public IReadOnlyList<int> Encode(string text, bool parseSpecial, bool addSpecial)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>((text.Length / 4) + 8);
        if (addSpecial)
        {
            ids.AddRange(_parts.Prefix);
        }

        EncodeText(WellFormed(text), parseSpecial ? _all : _withoutSpecial, ids);
        if (addSpecial)
        {
            ids.AddRange(_parts.Suffix);
        }

        return ids;
    }

    public ReadOnlySpan<byte> TokenBytes(int id, bool skipSpecial = true) =>
        (uint)id >= (uint)_special.Length || (skipSpecial && _special[id]) ? default : _parts.Decoded[id];

    public string Decode(IReadOnlyList<int> ids, bool skipSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var bytes = new ArrayBufferWriter<byte>((ids.Count * 4) + 16);
        for (var i = 0; i < ids.Count; i++)
        {
            bytes.Write(TokenBytes(ids[i], skipSpecial));
        }

        var text = bytes.WrittenSpan;
        for (var spaces = 0; spaces < LeadingSpaces && !text.IsEmpty && text[0] == ' '; spaces++)
        {
            text = text[1..];
        }

        return Encoding.UTF8.GetString(text);
    }

    public bool IsSpecial(int id) => (uint)id < (uint)_special.Length && _special[id];

    public int? TokenId(string content)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (_named.TryGetValue(content, out var id))
        {
            return id;
        }

        var utf8 = Encoding.UTF8.GetBytes(content);
        var length = _parts.Model.IsByteLevel ? ByteAlphabet.Decode(utf8, utf8) : utf8.Length;
        id = length <= 0 ? -1 : _parts.Index.Find(utf8.AsSpan(0, length));
        return id < 0 ? null : id;
    }

    // 1. Added tokens that are looked for in the text as it is.
    private void EncodeText(string text, Matchers matchers, List<int> ids)
    {
        for (var from = 0; from < text.Length;)
        {
            var token = matchers.Raw.Next(text, from, out var start, out var end);
            if (start > from)
            {
                EncodeRaw(start - from == text.Length ? text : text[from..start], from == 0, matchers, ids);
            }

            if (token is not null)
            {
                ids.Add(token.Id);
            }

            from = end;
        }
    }

    // 2. Normalisation, then the other added tokens.
    private void EncodeRaw(string text, bool atStart, Matchers matchers, List<int> ids)
    {
        text = Normalize(text);
        for (var from = 0; from < text.Length;)
        {
            var token = matchers.Normalized.Next(text, from, out var start, out var end);
            if (start > from)
            {
                EncodeNormalized(start - from == text.Length ? text : text[from..start], atStart && from == 0, ids);
            }

            if (token is not null)
            {
                ids.Add(token.Id);
            }

            from = end;
        }
    }

    // 3. The pre-tokenizer's pieces, each encoded by itself.
    private void EncodeNormalized(string text, bool atStart, List<int> ids)
    {
        text = _parts.TextPrefix?.Apply(text, atStart) ?? text;
        EncodePieces(text, 0, ids);
    }

    private void EncodePieces(ReadOnlySpan<char> text, int stage, List<int> ids)
    {
        if (stage == _parts.Stages.Count)
        {
            _parts.Model.Encode(text, ids);
            return;
        }

        var pieces = _parts.Stages[stage].Split(text);
        while (pieces.MoveNext())
        {
            EncodePieces(text[pieces.Current], stage + 1, ids);
        }
    }

    private string Normalize(string text)
    {
        var bound = 4096 + (16L * text.Length);
        foreach (var normalizer in _parts.Normalizers)
        {
            text = normalizer.Normalize(text);
            if (text.Length > bound)
            {
                throw new ModelFormatException(
                    _parts.File, "the normalizers make a text more than 16 times as long; they were stopped", "normalizer");
            }
        }

        return text;
    }

    private Matchers MatchersOf(IReadOnlyList<AddedToken> tokens) => new(
        new AddedTokenMatcher(tokens.Where(token => !token.Normalized), token => token.Content),
        new AddedTokenMatcher(tokens.Where(token => token.Normalized), token => Normalize(token.Content)));

    /// <summary>Lone surrogates cannot be written in UTF-8; they become U+FFFD.</summary>
    private static string WellFormed(string text)
    {
        var first = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        for (var i = first < 0 ? text.Length : first; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
            {
                return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            }

            i++;
        }

        return text;
    }

    private sealed record Matchers(AddedTokenMatcher Raw, AddedTokenMatcher Normalized);
}
