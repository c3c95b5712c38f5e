namespace Parallax.Runtime.Tokenization;

/// <summary>A byte string for each token id, in one block of memory. Ids may have gaps, which are empty.</summary>
internal sealed class TokenTable
{
    private readonly byte[] _bytes;
    private readonly int[] _starts;
    private readonly int[] _lengths;

    private TokenTable(byte[] bytes, int[] starts, int[] lengths)
    {
        _bytes = bytes;
        _starts = starts;
        _lengths = lengths;
    }

    /// <summary>One more than the largest id.</summary>
    public int Size => _starts.Length;

    /// <summary>The bytes of an id below <see cref="Size"/>.</summary>
    public ReadOnlySpan<byte> this[int id] => _bytes.AsSpan(_starts[id], _lengths[id]);

    /// <summary>Collects tokens in any order.</summary>
    internal sealed class Builder
    {
        private byte[] _bytes = new byte[1 << 16];
        private int _used;
        private int[] _starts = new int[1024];
        private int[] _lengths = new int[1024]; // plus one; 0 is a gap

        /// <summary>One more than the largest id so far.</summary>
        public int Size { get; private set; }

        public bool Contains(int id) => id < Size && _lengths[id] > 0;

        /// <summary>The bytes of an id that is present.</summary>
        public ReadOnlySpan<byte> this[int id] => _bytes.AsSpan(_starts[id], _lengths[id] - 1);

        /// <summary>Adds an id that is not present.</summary>
        public void Add(int id, ReadOnlySpan<byte> token)
        {
            if (id >= _starts.Length)
            {
                var capacity = Math.Max(id + 1, _starts.Length * 2);
                Array.Resize(ref _starts, capacity);
                Array.Resize(ref _lengths, capacity);
            }

            if (_bytes.Length - _used < token.Length)
            {
                Array.Resize(ref _bytes, checked(Math.Max(_used + token.Length, _bytes.Length * 2)));
            }

            token.CopyTo(_bytes.AsSpan(_used));
            _starts[id] = _used;
            _lengths[id] = token.Length + 1;
            _used += token.Length;
            Size = Math.Max(Size, id + 1);
        }

        public TokenTable Build()
        {
            var lengths = _lengths.AsSpan(0, Size).ToArray();
            for (var i = 0; i < lengths.Length; i++)
            {
                lengths[i] = Math.Max(0, lengths[i] - 1);
            }

            return new TokenTable(_bytes.AsSpan(0, _used).ToArray(), _starts.AsSpan(0, Size).ToArray(), lengths);
        }
    }
}
