using System.Globalization;
using System.Text.RegularExpressions;

namespace Parallax.Cli.Chaos.Report;

/// <summary>What a router's log says about one change of a session's path. Pure.</summary>
/// <param name="Reason">Why.</param>
/// <param name="DecideMilliseconds">From when the loss was known until there was another path.</param>
/// <param name="Kept">Stages of the new path that keep their state.</param>
internal sealed partial record RerouteNotice(string Reason, double DecideMilliseconds, int Kept)
{
    /// <summary>Reads a line of the log; null for any other line.</summary>
    public static RerouteNotice? Parse(string line) =>
        Pattern().Match(line) is { Success: true, Groups: var groups }
            ? new RerouteNotice(
                groups["reason"].Value,
                double.Parse(groups["decide"].ValueSpan, CultureInfo.InvariantCulture),
                int.Parse(groups["kept"].ValueSpan, CultureInfo.InvariantCulture))
            : null;

    [GeneratedRegex(@"\[60\].*: stage lost \((?<reason>.*)\); rerouted to .* after [0-9.]+ \+ (?<decide>[0-9.]+) ms, (?<kept>[0-9]+) ", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
