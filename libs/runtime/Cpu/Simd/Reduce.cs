using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Parallax.Runtime.Cpu.Simd;

/// <summary>Reductions of 16 lanes in memory; the same code for every instruction set.</summary>
internal static unsafe class Reduce
{
    /// <summary>The tree 16 -> 8 -> 4 -> 2 -> 1 of (lane i + lane i + half).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(float* lanes)
    {
        var eight0 = Vector128.Load(lanes) + Vector128.Load(lanes + 8);
        var eight1 = Vector128.Load(lanes + 4) + Vector128.Load(lanes + 12);
        var four = eight0 + eight1;
        var two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3));
        return two.GetElement(0) + two.GetElement(1);
    }

    /// <summary>The largest lane; undefined if any lane is undefined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(float* lanes)
    {
        var eight0 = Vector128.Max(Vector128.Load(lanes), Vector128.Load(lanes + 8));
        var eight1 = Vector128.Max(Vector128.Load(lanes + 4), Vector128.Load(lanes + 12));
        var four = Vector128.Max(eight0, eight1);
        var two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3)));
        return Math.Max(two.GetElement(0), two.GetElement(1));
    }
}
