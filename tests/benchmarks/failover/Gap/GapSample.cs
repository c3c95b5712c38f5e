namespace Parallax.FailoverBenchmark.Gap;

/// <summary>One kill in mid-answer, times in milliseconds.</summary>
/// <param name="Gap">Between the tokens before and after it, at the client.</param>
/// <param name="Detect">From the kill until the router knew, by its log; null when it changed no path.</param>
/// <param name="Decide">From then until it had another path.</param>
/// <param name="Refill">From then until the client had the next token.</param>
/// <param name="Kept">Stages that kept their state.</param>
/// <param name="Reroutes">How often the path was changed.</param>
/// <param name="Positions">Positions that the stage had when it was lost: of the prompt and of what the client had of the answer.</param>
internal sealed record GapSample(double Gap, double? Detect, double? Decide, double? Refill, int Kept, int Reroutes, int Positions);
