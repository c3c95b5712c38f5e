using System.Runtime.InteropServices;

namespace Parallax.Testing.Execution;

/// <summary>Bitwise comparison of float results: the only kind that a claim of exactness allows.</summary>
internal static class Bits
{
    /// <summary>Null when all bits agree; else where the first difference is and how many values differ.</summary>
    public static string? Difference(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        if (expected.Length != actual.Length)
        {
            return $"{actual.Length} values instead of {expected.Length}";
        }

        var expectedBits = MemoryMarshal.Cast<float, int>(expected);
        var actualBits = MemoryMarshal.Cast<float, int>(actual);
        if (expectedBits.SequenceEqual(actualBits))
        {
            return null;
        }

        var first = -1;
        var count = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            if (expectedBits[i] != actualBits[i])
            {
                first = first < 0 ? i : first;
                count++;
            }
        }

        return $"{count} of {expected.Length} values differ, first at {first}: {actual[first]:G9} instead of {expected[first]:G9}";
    }
}
