namespace Parallax.KvBlocks;

/// <summary>Limits that stores and their clients agree in.</summary>
public static class PartLimits
{
    /// <summary>Bytes of a part at most.</summary>
    public const int MostPartBytes = 4 << 20;

    /// <summary>Parts of one reservation, lease or read at most.</summary>
    public const int MostParts = 4096;

    /// <summary>Bytes of one reservation at most.</summary>
    public const long MostReservedBytes = 64 << 20;

    /// <summary>Blocks of a chain that one question may be about: a context of 256 k positions.</summary>
    public const int MostBlocks = 16384;

    /// <summary>How long a lease or a reservation may run.</summary>
    public static readonly TimeSpan LongestLease = TimeSpan.FromSeconds(60);
}
