namespace Parallax.SwarmBenchmark.Restore;

/// <summary>One kill in mid-answer, times in milliseconds.</summary>
/// <param name="Gap">Between the tokens before and after it, at the client.</param>
/// <param name="Detect">From the kill until the router knew, by its log; null when it changed no path.</param>
/// <param name="Refill">From when it had another path until the client had the next token.</param>
/// <param name="Known">Positions that the stage had when it was lost, about.</param>
/// <param name="Restored">Positions that came from blocks.</param>
/// <param name="Recomputed">Positions that were computed again.</param>
internal sealed record RestoreSample(double Gap, double? Detect, double? Refill, int Known, double Restored, double Recomputed);
