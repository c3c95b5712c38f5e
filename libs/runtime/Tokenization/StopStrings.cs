namespace Parallax.Runtime.Tokenization;

/// <summary>
/// Watches a text, character by character, for the first of several stop strings to be complete. Linear in the text
/// for each stop string, however the text is cut into calls.
/// </summary>
internal sealed class StopStrings
{
    private readonly string[] _stops;
    private readonly int[][] _fallbacks; // for each stop string and prefix length: the longest shorter prefix it ends with
    private readonly int[] _matched;     // for each stop string: how long a prefix of it the text ends with

    /// <exception cref="ArgumentException">A stop string is empty or not valid Unicode.</exception>
    public StopStrings(IReadOnlyList<string> stops)
    {
        _stops = [.. stops];
        _fallbacks = new int[_stops.Length][];
        _matched = new int[_stops.Length];
        for (var i = 0; i < _stops.Length; i++)
        {
            _fallbacks[i] = Fallbacks(_stops[i]);
        }
    }

    /// <summary>How many characters at the end of the text may yet become a stop string.</summary>
    public int Held { get; private set; }

    /// <summary>Takes the next character; the stop string that it completes (of several the longest), or null.</summary>
    public string? Next(char c)
    {
        string? complete = null;
        Held = 0;
        for (var i = 0; i < _stops.Length; i++)
        {
            var stop = _stops[i];
            var matched = _matched[i];
            while (matched > 0 && stop[matched] != c)
            {
                matched = _fallbacks[i][matched];
            }

            matched += stop[matched] == c ? 1 : 0;
            if (matched == stop.Length)
            {
                complete = complete is null || stop.Length > complete.Length ? stop : complete;
                matched = _fallbacks[i][matched];
            }

            _matched[i] = matched;
            Held = Math.Max(Held, matched);
        }

        return complete;
    }

    private static int[] Fallbacks(string stop)
    {
        if (stop.Length == 0)
        {
            throw new ArgumentException("a stop string is empty", nameof(stop));
        }

        for (var i = 0; i < stop.Length; i++)
        {
            if (char.IsSurrogate(stop[i]) && (i + 1 == stop.Length || !char.IsSurrogatePair(stop[i], stop[++i])))
            {
                throw new ArgumentException("a stop string is not valid Unicode: it holds half a surrogate pair", nameof(stop));
            }
        }

        var fallbacks = new int[stop.Length + 1];
        var length = 0;
        for (var i = 1; i < stop.Length; i++)
        {
            while (length > 0 && stop[length] != stop[i])
            {
                length = fallbacks[length];
            }

            length += stop[length] == stop[i] ? 1 : 0;
            fallbacks[i + 1] = length;
        }

        return fallbacks;
    }
}
