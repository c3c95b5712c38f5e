namespace Parallax.Cli.Chaos.Network;

/// <summary>The gates of one pair of processes as a relayed connection uses them.</summary>
/// <param name="There">What the dialling side sends.</param>
/// <param name="Back">What the dialled side sends.</param>
internal readonly record struct RelaySide(Gate There, Gate Back);
