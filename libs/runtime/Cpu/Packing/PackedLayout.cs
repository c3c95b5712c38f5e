using System.Runtime.CompilerServices;

namespace Parallax.Runtime.Cpu.Packing;

/// <summary>
/// Where things lie in a packed group of 16 rows. Per 32 columns: scales, then codes. Codes of column group c (four
/// columns, c in [0, 8)) of row r are bytes [4r, 4r + 4) of a 64-byte vector: 4-bit codes share vector c mod 4 (low nibble
/// c below 4, high nibble above); a fifth bit is bit c of the plane vector; the fifth and sixth are bits 2(c mod 4)
/// of plane vector c / 4; 8-bit codes have a vector each. Per 256 columns, formats with super scales begin with f16
/// scales (and negated minima).
/// </summary>
internal static class PackedLayout<TFormat>
    where TFormat : struct, IPackedFormat
{
    public const int Lanes = 16;

    /// <summary>Bytes of f16 scales (and minima) before the first of 8 blocks; 0 without super scales.</summary>
    public static int SuperBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.IsSuper ? (TFormat.HasMinimum ? 64 : 32) : 0;
    }

    /// <summary>Bytes of scales (and minima) at the start of a block.</summary>
    public static int ScaleBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (TFormat.IsSuper ? 16 : 32) * (TFormat.HasMinimum || TFormat.HalfBlocks ? 2 : 1);
    }

    /// <summary>Bytes of codes in a block.</summary>
    public static int CodeBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.Bits * 64;
    }

    /// <summary>Bytes of a block of 32 columns.</summary>
    public static int BlockBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ScaleBytes + CodeBytes;
    }

    /// <summary>Bytes of a group of 16 rows.</summary>
    public static long GroupBytes(int columns) =>
        ((long)(columns / 32) * BlockBytes) + ((columns + 255L) / 256 * SuperBytes);
}
