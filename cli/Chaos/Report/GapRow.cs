namespace Parallax.Cli.Chaos.Report;

/// <summary>Gaps that clients saw after faults of one kind at one place, in milliseconds.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Place">The victim's place.</param>
/// <param name="Gaps">One of each fault while somebody was reading.</param>
/// <param name="Faults">Faults, with those during which nobody was reading.</param>
internal sealed record GapRow(string Kind, string Place, IReadOnlyList<double> Gaps, int Faults);
