using System.Text;

namespace Parallax.Runtime.Tokenization.Normalization;

/// <summary>Unicode normalisation form C (composed) or D (decomposed), in linear time.</summary>
internal sealed class CanonicalNormalizer(bool compose) : ITextNormalizer
{
    // Hangul syllables are composed by arithmetic (The Unicode Standard, section 3.12).
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int SyllableCount = LeadCount * VowelCount * TailCount;

    public string Normalize(string text)
    {
        if (IsNormalized(text))
        {
            return text;
        }

        var data = CanonicalData.Shared;
        var points = new List<int>(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, points, data);
        }

        Reorder(points, data);
        if (compose)
        {
            Compose(points, data);
        }

        var result = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (var point in points)
        {
            result.Append(units[..new Rune(point).EncodeToUtf16(units)]);
        }

        return result.ToString();
    }

    /// <summary>A quick answer: true only if the text certainly is in this form already.</summary>
    private bool IsNormalized(string text)
    {
        var first = compose ? '\u0300' : '\u00C0'; // everything before is the same in this form
        if (text.AsSpan().IndexOfAnyInRange(first, '\uFFFF') < 0)
        {
            return true;
        }

        if (!compose)
        {
            return false;
        }

        var data = CanonicalData.Shared;
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value >= first && (data.MayCompose(rune.Value) || IsVowelOrTail(rune.Value)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsVowelOrTail(int point) =>
        point is >= VowelBase and < VowelBase + VowelCount or > TailBase and < TailBase + TailCount;

    private static void Decompose(int point, List<int> output, CanonicalData data)
    {
        var syllable = point - SyllableBase;
        if ((uint)syllable < SyllableCount)
        {
            output.Add(LeadBase + (syllable / (VowelCount * TailCount)));
            output.Add(VowelBase + (syllable % (VowelCount * TailCount) / TailCount));
            if (syllable % TailCount != 0)
            {
                output.Add(TailBase + (syllable % TailCount));
            }
        }
        else if (data.Decomposition(point) is { } parts)
        {
            foreach (var part in parts)
            {
                Decompose(part, output, data); // at most four deep
            }
        }
        else
        {
            output.Add(point);
        }
    }

    /// <summary>Sorts each run of combining marks by class, keeping the order within a class.</summary>
    private static void Reorder(List<int> points, CanonicalData data)
    {
        for (var start = 0; start < points.Count;)
        {
            if (data.CombiningClass(points[start]) == 0)
            {
                start++;
                continue;
            }

            var end = start + 1;
            var sorted = true;
            for (var last = data.CombiningClass(points[start]); end < points.Count; end++)
            {
                var next = data.CombiningClass(points[end]);
                if (next == 0)
                {
                    break;
                }

                sorted &= last <= next;
                last = next;
            }

            if (!sorted)
            {
                var run = points.GetRange(start, end - start).OrderBy(point => data.CombiningClass(point)).ToArray();
                for (var i = 0; i < run.Length; i++)
                {
                    points[start + i] = run[i];
                }
            }

            start = end;
        }
    }

    private static void Compose(List<int> points, CanonicalData data)
    {
        var write = 0;
        var starter = -1;   // where the last starter was written
        var lastClass = 0;  // the class of what was last written after it; 0 when nothing was
        for (var read = 0; read < points.Count; read++)
        {
            var point = points[read];
            var @class = data.CombiningClass(point);
            var adjacent = starter >= 0 && write == starter + 1;
            if (starter >= 0 && (adjacent || lastClass < @class))
            {
                var composed = ComposePair(points[starter], point, data);
                if (composed >= 0)
                {
                    points[starter] = composed;
                    continue;
                }
            }

            if (@class == 0)
            {
                starter = write;
            }

            lastClass = @class;
            points[write++] = point;
        }

        points.RemoveRange(write, points.Count - write);
    }

    private static int ComposePair(int first, int second, CanonicalData data)
    {
        var lead = first - LeadBase;
        var vowel = second - VowelBase;
        if ((uint)lead < LeadCount && (uint)vowel < VowelCount)
        {
            return SyllableBase + (((lead * VowelCount) + vowel) * TailCount);
        }

        var syllable = first - SyllableBase;
        var tail = second - TailBase;
        if ((uint)syllable < SyllableCount && syllable % TailCount == 0 && tail is > 0 and < TailCount)
        {
            return first + tail;
        }

        return data.Composition(first, second);
    }
}
