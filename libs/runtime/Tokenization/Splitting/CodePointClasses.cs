namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>
/// Groups code points that a pattern cannot tell apart, so that its automaton has a handful of columns and not a
/// million.
/// </summary>
internal sealed class CodePointClasses
{
    private const int MaxClasses = 256;
    private const int MaxWork = 4_000_000;

    private readonly byte[] _plane0 = new byte[0x10000];
    private readonly int[] _starts;
    private readonly byte[] _classes;
    private readonly List<bool[]> _membership = [];

    /// <exception cref="PatternException">The sets overlap in too many ways.</exception>
    public CodePointClasses(IReadOnlyList<CodePointSet> sets)
    {
        _starts = Starts(sets);
        if ((long)_starts.Length * sets.Count > MaxWork)
        {
            throw new PatternException("the pattern names too many large sets");
        }

        _classes = new byte[_starts.Length];
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var key = new char[sets.Count];
        for (var i = 0; i < _starts.Length; i++)
        {
            for (var s = 0; s < sets.Count; s++)
            {
                key[s] = sets[s].Contains(_starts[i]) ? '1' : '0';
            }

            var name = new string(key);
            if (!known.TryGetValue(name, out var id))
            {
                id = known.Count;
                if (id == MaxClasses)
                {
                    throw new PatternException($"the pattern tells apart more than {MaxClasses} kinds of characters");
                }

                known.Add(name, id);
                _membership.Add(Array.ConvertAll(key, c => c == '1'));
            }

            _classes[i] = (byte)id;
            var end = i + 1 < _starts.Length ? _starts[i + 1] : CodePointSet.Last + 1;
            if (_starts[i] < _plane0.Length)
            {
                _plane0.AsSpan(_starts[i], Math.Min(end, _plane0.Length) - _starts[i]).Fill((byte)id);
            }
        }
    }

    /// <summary>How many classes there are.</summary>
    public int Count => _membership.Count;

    /// <summary>Whether the code points of a class are in a set.</summary>
    public bool IsIn(int @class, int set) => _membership[@class][set];

    /// <summary>The class of a code point below U+10000.</summary>
    public int Of(char point) => _plane0[point];

    /// <summary>The class of any code point.</summary>
    public int Of(int point)
    {
        if (point < _plane0.Length)
        {
            return _plane0[point];
        }

        var index = Array.BinarySearch(_starts, point);
        return _classes[index >= 0 ? index : ~index - 1];
    }

    private static int[] Starts(IReadOnlyList<CodePointSet> sets)
    {
        var starts = new SortedSet<int> { 0 };
        foreach (var set in sets)
        {
            for (var i = 0; i < set.Bounds.Length; i += 2)
            {
                starts.Add(set.Bounds[i]);
                if (set.Bounds[i + 1] < CodePointSet.Last)
                {
                    starts.Add(set.Bounds[i + 1] + 1);
                }
            }
        }

        return [.. starts];
    }
}
