using System.Text;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>Collects a vocabulary and makes the tables of a tokenizer from it.</summary>
/// <param name="file">The file, for messages.</param>
/// <param name="byteLevel">Whether tokens are written in the <see cref="ByteAlphabet"/>.</param>
internal sealed class VocabularyBuilder(string file, bool byteLevel)
{
    private readonly TokenTable.Builder _contents = new();
    private readonly TokenTable.Builder _decoded = new();
    private readonly List<int> _indexed = [];
    private readonly Dictionary<string, int> _named = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddedToken> _added = new(StringComparer.Ordinal);
    private byte[] _scratch = new byte[256];
    private TokenTable? _table;
    private TokenIndex? _index;

    /// <summary>
    /// The byte that a token stands for when it is written like <c>&lt;0x0A&gt;</c>, else -1.
    /// </summary>
    public static int ByteToken(ReadOnlySpan<byte> token) =>
        token.Length == 6 && token.StartsWith("<0x"u8) && token[5] == '>'
        && byte.TryParse(token[3..5], System.Globalization.NumberStyles.AllowHexSpecifier, null, out var value)
            ? value
            : -1;

    /// <summary>Adds a token of the vocabulary under an id that was checked to be in bounds.</summary>
    /// <param name="token">Its UTF-8.</param>
    /// <param name="id">Its id.</param>
    /// <param name="decode">For vocabularies of characters: what the token adds to a decoded text.</param>
    /// <param name="field">Where it stands, for messages.</param>
    public void Add(ReadOnlySpan<byte> token, int id, Func<ReadOnlySpan<byte>, byte[]>? decode, string field)
    {
        if (_contents.Contains(id))
        {
            throw new ModelFormatException(file, $"two tokens have the id {id}, one of them '{TokenizerJson.Show(token)}'", field);
        }

        if (!byteLevel)
        {
            _contents.Add(id, token);
            _decoded.Add(id, decode!(token));
            _indexed.Add(id);
            return;
        }

        if (_scratch.Length < token.Length)
        {
            _scratch = new byte[token.Length];
        }

        var length = ByteAlphabet.Decode(token, _scratch);
        if (length >= 0)
        {
            _contents.Add(id, _scratch.AsSpan(0, length));
            _indexed.Add(id);
        }
        else
        {
            // Not written in the alphabet, so no text can become it, except as an added token.
            _contents.Add(id, token);
            _named[Encoding.UTF8.GetString(token)] = id;
        }
    }

    /// <summary>
    /// Ends the vocabulary, before merges and added tokens.
    /// </summary>
    /// <param name="allowDuplicates">Whether of tokens with equal text the first counts, instead of an error.</param>
    /// <param name="field">Where the vocabulary stands, for messages.</param>
    public void EndVocabulary(bool allowDuplicates, string field)
    {
        var table = _contents.Build();
        _table = table;
        _index = new TokenIndex(table, _indexed.Count);
        foreach (var id in _indexed)
        {
            if (!_index.TryAdd(id) && !allowDuplicates)
            {
                throw new ModelFormatException(file, $"the token '{TokenizerJson.Show(table[id])}' is there twice", field);
            }
        }
    }

    /// <summary>The vocabulary by its bytes, once it has ended.</summary>
    public TokenIndex Index => _index ?? throw new InvalidOperationException("the vocabulary has not ended");

    /// <summary>The id of a token by its UTF-8 as the file writes it, or -1; once the vocabulary has ended.</summary>
    public int Find(ReadOnlySpan<byte> token)
    {
        if (!byteLevel)
        {
            return Index.Find(token);
        }

        if (_scratch.Length < token.Length)
        {
            _scratch = new byte[token.Length];
        }

        var length = ByteAlphabet.Decode(token, _scratch);
        return length >= 0
            ? Index.Find(_scratch.AsSpan(0, length))
            : _named.GetValueOrDefault(Encoding.UTF8.GetString(token), -1);
    }

    /// <summary>The id of a token or an added token by its text, or -1.</summary>
    public int FindText(string token) =>
        _added.TryGetValue(token, out var added) ? added.Id : Find(Encoding.UTF8.GetBytes(token));

    /// <summary>The id of a merge's product, or -1 when it is not in the vocabulary.</summary>
    public int FindMerged(int left, int right)
    {
        var table = _table!;
        var length = table[left].Length + table[right].Length;
        if (_scratch.Length < length)
        {
            _scratch = new byte[length];
        }

        table[left].CopyTo(_scratch);
        table[right].CopyTo(_scratch.AsSpan(table[left].Length));
        return Index.Find(_scratch.AsSpan(0, length));
    }

    /// <summary>Adds an added token, whether or not the vocabulary has it.</summary>
    public void AddAdded(AddedToken token, Func<ReadOnlySpan<byte>, byte[]>? decode, string field)
    {
        if (token.Content.Length is 0 or > AddedTokenMatcher.MaxContentLength)
        {
            throw new ModelFormatException(file, $"an added token of {token.Content.Length} characters; 1 to {AddedTokenMatcher.MaxContentLength} are supported", field);
        }

        var id = FindText(token.Content);
        if (id >= 0 && id != token.Id)
        {
            throw new ModelFormatException(file, $"'{token.Content}' has the id {token.Id} here and {id} elsewhere", field);
        }

        if (id < 0)
        {
            if (_contents.Contains(token.Id))
            {
                throw new ModelFormatException(file, $"the id {token.Id} of '{token.Content}' is another token's", field);
            }

            var utf8 = Encoding.UTF8.GetBytes(token.Content);
            _contents.Add(token.Id, utf8);
            if (!byteLevel)
            {
                _decoded.Add(token.Id, decode!(utf8));
            }
        }

        _added[token.Content] = token;
    }

    /// <summary>Whether a text is an added token already.</summary>
    public bool HasAdded(string content) => _added.ContainsKey(content);

    /// <summary>The added tokens, in no particular order.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => [.. _added.Values];

    /// <summary>Tokens that the index lacks.</summary>
    public IReadOnlyDictionary<string, int> NamedTokens => _named;

    /// <summary>For each byte the id of its token, or -1.</summary>
    public int[] ByteTokens()
    {
        var ids = new int[256];
        Span<byte> name = stackalloc byte[6];
        for (var value = 0; value < ids.Length; value++)
        {
            if (byteLevel)
            {
                name[0] = (byte)value;
                ids[value] = Index.Find(name[..1]);
            }
            else
            {
                System.Text.Unicode.Utf8.TryWrite(name, $"<0x{value:X2}>", out _);
                ids[value] = Index.Find(name);
            }
        }

        return ids;
    }

    /// <summary>What each id adds to a decoded text.</summary>
    public TokenTable BuildDecoded() => byteLevel ? _contents.Build() : _decoded.Build();
}
