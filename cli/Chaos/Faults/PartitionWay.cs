namespace Parallax.Cli.Chaos.Faults;

/// <summary>Which direction a partition stops.</summary>
internal enum PartitionWay
{
    /// <summary>Both.</summary>
    Both,

    /// <summary>What the first victim sends to the second.</summary>
    Out,

    /// <summary>What the second victim sends to the first.</summary>
    Back,
}
