namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>An immutable set of Unicode code points, kept as sorted, disjoint, non-adjacent closed ranges.</summary>
internal sealed class CodePointSet : IEquatable<CodePointSet>
{
    /// <summary>The largest code point.</summary>
    public const int Last = 0x10FFFF;

    private readonly int[] _bounds; // first0, last0, first1, last1, …

    private CodePointSet(int[] bounds) => _bounds = bounds;

    public static CodePointSet Empty { get; } = new([]);

    public static CodePointSet All { get; } = new([0, Last]);

    /// <summary>Alternating first and last code points of the ranges, ascending.</summary>
    public ReadOnlySpan<int> Bounds => _bounds;

    public bool IsEmpty => _bounds.Length == 0;

    public static CodePointSet Of(params ReadOnlySpan<int> points)
    {
        var ranges = new List<(int First, int Last)>(points.Length);
        foreach (var point in points)
        {
            ranges.Add((point, point));
        }

        return FromRanges(ranges);
    }

    public static CodePointSet Range(int first, int last) => new([first, last]);

    /// <summary>The union of ranges in any order, overlapping or not.</summary>
    public static CodePointSet FromRanges(List<(int First, int Last)> ranges)
    {
        if (ranges.Count == 0)
        {
            return Empty;
        }

        ranges.Sort();
        var bounds = new List<int>(ranges.Count * 2);
        var (first, last) = ranges[0];
        foreach (var range in ranges)
        {
            if (range.First <= last + 1)
            {
                last = Math.Max(last, range.Last);
            }
            else
            {
                bounds.Add(first);
                bounds.Add(last);
                (first, last) = range;
            }
        }

        bounds.Add(first);
        bounds.Add(last);
        return new CodePointSet([.. bounds]);
    }

    public bool Contains(int point)
    {
        var low = 0;
        var high = (_bounds.Length / 2) - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (point < _bounds[2 * middle])
            {
                high = middle - 1;
            }
            else if (point > _bounds[(2 * middle) + 1])
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    public CodePointSet Union(CodePointSet other)
    {
        var ranges = new List<(int, int)>((_bounds.Length + other._bounds.Length) / 2);
        AddTo(ranges);
        other.AddTo(ranges);
        return FromRanges(ranges);
    }

    public CodePointSet Complement()
    {
        var ranges = new List<(int, int)>((_bounds.Length / 2) + 1);
        var next = 0;
        for (var i = 0; i < _bounds.Length; i += 2)
        {
            if (next < _bounds[i])
            {
                ranges.Add((next, _bounds[i] - 1));
            }

            next = _bounds[i + 1] + 1;
        }

        if (next <= Last)
        {
            ranges.Add((next, Last));
        }

        return FromRanges(ranges);
    }

    public CodePointSet Intersect(CodePointSet other) => Complement().Union(other.Complement()).Complement();

    public bool Equals(CodePointSet? other) => other is not null && _bounds.AsSpan().SequenceEqual(other._bounds);

    public override bool Equals(object? obj) => Equals(obj as CodePointSet);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var bound in _bounds)
        {
            hash.Add(bound);
        }

        return hash.ToHashCode();
    }

    private void AddTo(List<(int First, int Last)> ranges)
    {
        for (var i = 0; i < _bounds.Length; i += 2)
        {
            ranges.Add((_bounds[i], _bounds[i + 1]));
        }
    }
}
