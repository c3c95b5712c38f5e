using System.Runtime.InteropServices;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>A set of positions as ascending ranges that do not touch. Changes at the ends allocate nothing. Not thread-safe.</summary>
public sealed class PositionSet
{
    private readonly List<PositionRange> _ranges = [];

    /// <summary>The ranges, ascending, not touching.</summary>
    public ReadOnlySpan<PositionRange> Ranges => CollectionsMarshal.AsSpan(_ranges);

    /// <summary>Whether no position is in the set.</summary>
    public bool IsEmpty => _ranges.Count == 0;

    /// <summary>One past the highest position, 0 when empty.</summary>
    public int End => _ranges.Count == 0 ? 0 : _ranges[^1].End;

    /// <summary>How many positions.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var range in Ranges)
            {
                count += range.Count;
            }

            return count;
        }
    }

    /// <summary>Whether <paramref name="position"/> is in the set.</summary>
    public bool Contains(int position) => RunFrom(position) > 0;

    /// <summary>How many positions in a row from <paramref name="position"/> on are in the set.</summary>
    public int RunFrom(int position)
    {
        var index = FirstEndingAfter(position);
        return index < _ranges.Count && _ranges[index].Start <= position ? _ranges[index].End - position : 0;
    }

    /// <summary>Adds [start, end).</summary>
    public void Add(int start, int end)
    {
        if (start >= end)
        {
            return;
        }

        // Ranges that touch or overlap [start, end) melt into one.
        var first = FirstEndingAfter(start - 1);
        var last = first;
        while (last < _ranges.Count && _ranges[last].Start <= end)
        {
            start = Math.Min(start, _ranges[last].Start);
            end = Math.Max(end, _ranges[last].End);
            last++;
        }

        if (first == last)
        {
            _ranges.Insert(first, new PositionRange(start, end));
            return;
        }

        _ranges[first] = new PositionRange(start, end);
        _ranges.RemoveRange(first + 1, last - first - 1);
    }

    /// <summary>Adds all of <paramref name="ranges"/>.</summary>
    public void Add(ReadOnlySpan<PositionRange> ranges)
    {
        foreach (var range in ranges)
        {
            Add(range.Start, range.End);
        }
    }

    /// <summary>Removes [start, end).</summary>
    public void Remove(int start, int end)
    {
        if (start >= end)
        {
            return;
        }

        var index = FirstEndingAfter(start);
        while (index < _ranges.Count && _ranges[index].Start < end)
        {
            var range = _ranges[index];
            if (range.Start < start && range.End > end)
            {
                _ranges[index] = new PositionRange(range.Start, start);
                _ranges.Insert(index + 1, new PositionRange(end, range.End));
                return;
            }

            if (range.Start < start)
            {
                _ranges[index++] = new PositionRange(range.Start, start);
            }
            else if (range.End > end)
            {
                _ranges[index] = new PositionRange(end, range.End);
                return;
            }
            else
            {
                _ranges.RemoveAt(index);
            }
        }
    }

    /// <summary>Keeps positions below <paramref name="end"/> only.</summary>
    public void Truncate(int end) => Remove(end, int.MaxValue);

    /// <summary>Removes all.</summary>
    public void Clear() => _ranges.Clear();

    /// <summary>The smallest range that holds every member in [start, end); false when there is none.</summary>
    public bool TryHull(int start, int end, out PositionRange hull)
    {
        hull = default;
        var any = false;
        for (var i = FirstEndingAfter(start); i < _ranges.Count && _ranges[i].Start < end; i++)
        {
            var (low, high) = (Math.Max(start, _ranges[i].Start), Math.Min(end, _ranges[i].End));
            hull = any ? hull with { End = high } : new PositionRange(low, high);
            any = true;
        }

        return any;
    }

    /// <summary>Writes at most <c>target.Length</c> ranges that cover the set, closing the smallest gaps first when there are more.</summary>
    /// <returns>The ranges written.</returns>
    public int CopyCovering(Span<PositionRange> target)
    {
        if (_ranges.Count <= target.Length)
        {
            Ranges.CopyTo(target);
            return _ranges.Count;
        }

        var gaps = new int[_ranges.Count - 1];
        for (var i = 0; i < gaps.Length; i++)
        {
            gaps[i] = _ranges[i + 1].Start - _ranges[i].End;
        }

        Array.Sort(gaps);
        var closes = _ranges.Count - target.Length;
        var largestClosed = gaps[closes - 1];
        var written = 0;
        var current = _ranges[0];
        for (var i = 1; i < _ranges.Count; i++)
        {
            if (closes > 0 && _ranges[i].Start - current.End <= largestClosed)
            {
                current = current with { End = _ranges[i].End };
                closes--;
                continue;
            }

            target[written++] = current;
            current = _ranges[i];
        }

        target[written++] = current;
        return written;
    }

    /// <summary>A set of its own with the same positions.</summary>
    internal PositionSet Clone()
    {
        var copy = new PositionSet();
        copy._ranges.AddRange(_ranges);
        return copy;
    }

    /// <summary>Says all that it holds, for tests that compare states.</summary>
    internal void WriteTo(List<long> state)
    {
        state.Add(_ranges.Count);
        foreach (var range in Ranges)
        {
            state.Add(((long)range.Start << 32) | (uint)range.End);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', _ranges);

    // The first range whose end lies above the position.
    private int FirstEndingAfter(int position)
    {
        if (_ranges.Count == 0 || _ranges[^1].End <= position)
        {
            return _ranges.Count;
        }

        var (low, high) = (0, _ranges.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_ranges[middle].End > position)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
