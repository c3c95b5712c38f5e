using System.Text;

namespace Parallax.Runtime.Tokenization;

/// <summary>
/// Turns the tokens of one answer into text as they come. The text after a token is a function of the tokens so far
/// and nothing else: not of timing, batching, or where a session moved. Held back are bytes of an unfinished
/// character, and characters that may yet become a stop string. Not thread-safe; one per answer.
/// </summary>
public sealed class IncrementalDetokenizer
{
    private readonly ITokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private readonly StopStrings? _stops;
    private char[] _text = new char[64];
    private int _length;   // characters in _text
    private int _given;    // of these, characters that were returned already
    private int _leadingSpaces;
    private bool _ended;

    /// <param name="tokenizer">The tokens' tokenizer.</param>
    /// <param name="stops">Strings that end the text, or null. The first one to be complete counts.</param>
    /// <param name="skipSpecial">Whether special tokens are left out of the text.</param>
    /// <exception cref="ArgumentException">A stop string is empty or not valid Unicode.</exception>
    public IncrementalDetokenizer(ITokenizer tokenizer, IReadOnlyList<string>? stops = null, bool skipSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
        _leadingSpaces = tokenizer.LeadingSpaces;
        _stops = stops is { Count: > 0 } ? new StopStrings(stops) : null;
    }

    /// <summary>The stop string that ended the text, or null. It is not part of the text.</summary>
    public string? StopString { get; private set; }

    /// <summary>
    /// Takes the next token.
    /// </summary>
    /// <returns>The new text, often empty; valid until the next call. Empty once a stop string was found.</returns>
    /// <exception cref="InvalidOperationException">The text was flushed.</exception>
    public ReadOnlySpan<char> Append(int id)
    {
        if (_ended)
        {
            throw new InvalidOperationException("a token after the end of the text");
        }

        if (StopString is not null)
        {
            return default;
        }

        var bytes = _tokenizer.TokenBytes(id, _skipSpecial);
        while (_leadingSpaces > 0 && !bytes.IsEmpty)
        {
            if (bytes[0] != ' ')
            {
                _leadingSpaces = 0;
                break;
            }

            bytes = bytes[1..];
            _leadingSpaces--;
        }

        return Take(bytes, flush: false);
    }

    /// <summary>
    /// Ends the text: what was held back comes out, an unfinished character as U+FFFD.
    /// </summary>
    /// <returns>The rest of the text; valid until the object is gone.</returns>
    public ReadOnlySpan<char> Flush()
    {
        if (_ended || StopString is not null)
        {
            _ended = true;
            return default;
        }

        _ended = true;
        return Take(default, flush: true);
    }

    private ReadOnlySpan<char> Take(ReadOnlySpan<byte> bytes, bool flush)
    {
        // 1. What the caller has seen is no longer needed; only what is held back stays.
        _text.AsSpan(_given, _length - _given).CopyTo(_text);
        _length -= _given;
        _given = 0;

        // 2. New characters; a token's bytes are at most as many, plus the unfinished character's.
        var room = _length + bytes.Length + 4;
        if (_text.Length < room)
        {
            Array.Resize(ref _text, Math.Max(room, _text.Length * 2));
        }

        var old = _length;
        _length += _utf8.GetChars(bytes, _text.AsSpan(_length), flush);

        // 3. All of it is given that cannot become a stop string.
        _given = _length;
        for (var i = old; _stops is not null && i < _length; i++)
        {
            if (_stops.Next(_text[i]) is { } stop)
            {
                StopString = stop;
                _length = _given = i + 1 - stop.Length;
                return _text.AsSpan(0, _given);
            }
        }

        _given -= flush || _stops is null ? 0 : _stops.Held;
        return _text.AsSpan(0, _given);
    }
}
