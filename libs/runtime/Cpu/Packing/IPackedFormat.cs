namespace Parallax.Runtime.Cpu.Packing;

/// <summary>
/// A quantised format as the kernels hold it (docs/numerics.md, "Packed weights"): groups of 16 rows, so that a lane is a
/// row, and blocks of 32 columns. value = scale * (code - Offset) [+ minimum]. All members are constants to the JIT.
/// </summary>
internal interface IPackedFormat
{
    /// <summary>Bits per code: 4, 5 or 6 (8-bit codes are signed and have no plane).</summary>
    static abstract int Bits { get; }

    /// <summary>Subtracted from each code.</summary>
    static abstract int Offset { get; }

    /// <summary>Whether blocks carry a minimum that is added.</summary>
    static abstract bool HasMinimum { get; }

    /// <summary>
    /// Whether scales are 8-bit factors (unsigned; signed for 6-bit codes) of an f16 scale per 256 columns.
    /// </summary>
    static abstract bool IsSuper { get; }

    /// <summary>Whether each 16 columns have their own scale.</summary>
    static abstract bool HalfBlocks { get; }
}

internal readonly struct PackedQ40 : IPackedFormat
{
    public static int Bits => 4;

    public static int Offset => 8;

    public static bool HasMinimum => false;

    public static bool IsSuper => false;

    public static bool HalfBlocks => false;
}

internal readonly struct PackedQ41 : IPackedFormat
{
    public static int Bits => 4;

    public static int Offset => 0;

    public static bool HasMinimum => true;

    public static bool IsSuper => false;

    public static bool HalfBlocks => false;
}

internal readonly struct PackedQ50 : IPackedFormat
{
    public static int Bits => 5;

    public static int Offset => 16;

    public static bool HasMinimum => false;

    public static bool IsSuper => false;

    public static bool HalfBlocks => false;
}

internal readonly struct PackedQ51 : IPackedFormat
{
    public static int Bits => 5;

    public static int Offset => 0;

    public static bool HasMinimum => true;

    public static bool IsSuper => false;

    public static bool HalfBlocks => false;
}

internal readonly struct PackedQ80 : IPackedFormat
{
    public static int Bits => 8;

    public static int Offset => 0;

    public static bool HasMinimum => false;

    public static bool IsSuper => false;

    public static bool HalfBlocks => false;
}

internal readonly struct PackedQ4K : IPackedFormat
{
    public static int Bits => 4;

    public static int Offset => 0;

    public static bool HasMinimum => true;

    public static bool IsSuper => true;

    public static bool HalfBlocks => false;
}

internal readonly struct PackedQ5K : IPackedFormat
{
    public static int Bits => 5;

    public static int Offset => 0;

    public static bool HasMinimum => true;

    public static bool IsSuper => true;

    public static bool HalfBlocks => false;
}

internal readonly struct PackedQ6K : IPackedFormat
{
    public static int Bits => 6;

    public static int Offset => 32;

    public static bool HasMinimum => false;

    public static bool IsSuper => true;

    public static bool HalfBlocks => true;
}
