namespace Parallax.Runtime.Execution;

/// <summary>What a shard's steps took before anybody used it.</summary>
/// <param name="PrefillMsPerToken">Milliseconds of a prompt's row.</param>
/// <param name="DecodeMs">Milliseconds of a step of one row.</param>
public readonly record struct WarmUpTimes(double PrefillMsPerToken, double DecodeMs);
