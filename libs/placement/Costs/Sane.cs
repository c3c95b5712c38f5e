namespace Parallax.Placement.Costs;

/// <summary>
/// Brings figures that came over a wire into ranges whose sums and products do not overflow, so that planning is total.
/// </summary>
internal static class Sane
{
    /// <summary>Layers of a model at most.</summary>
    public const int MostLayers = 1 << 14;

    private const long MostModelBytes = 1L << 46;
    private const long MostNodeBytes = 1L << 60;
    private const double MostRate = 1e12;
    private const double MostWork = 1e24;

    /// <summary>Bytes of one part of a model: at most 64 TiB, so that all layers together stay below 2^60.</summary>
    public static long Bytes(long bytes) => Math.Clamp(bytes, 0, MostModelBytes);

    /// <summary>Bytes of one part of a model, from a product.</summary>
    public static long Bytes(double bytes) => bytes >= MostModelBytes ? MostModelBytes : bytes > 0 ? (long)bytes : 0;

    /// <summary>A node's memory.</summary>
    public static long Memory(long bytes) => Math.Clamp(bytes, 0, MostNodeBytes);

    /// <summary>Operations or bytes a second; what is no positive number is as good as nothing, yet not nothing.</summary>
    public static double Rate(double rate) => rate > 1e-9 ? Math.Min(rate, MostRate) : 1e-9;

    /// <summary>Work or a time.</summary>
    public static double Work(double work) => work > 0 ? Math.Min(work, MostWork) : 0;

    /// <summary>A factor of sizes.</summary>
    public static double Factor(double factor) => factor > 0 && double.IsFinite(factor) ? Math.Clamp(factor, 1.0 / 64, 64) : 1;
}
