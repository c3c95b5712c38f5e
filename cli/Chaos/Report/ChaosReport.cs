using System.Globalization;
using System.Text;
using System.Text.Json;
using Parallax.Cli.Chaos.Traffic;
using Parallax.Cli.Terminal;

namespace Parallax.Cli.Chaos.Report;

/// <summary>What a run of faults came to.</summary>
/// <param name="What">The swarm and the traffic, in words.</param>
/// <param name="Machine">The machine, in words.</param>
/// <param name="Seconds">How long traffic ran.</param>
/// <param name="Tally">What became of the requests.</param>
/// <param name="Gaps">Gaps by kind and place.</param>
internal sealed record ChaosReport(string What, string Machine, double Seconds, TrafficTally Tally, IReadOnlyList<GapRow> Gaps)
{
    /// <summary>Planned faults for which there was no victim.</summary>
    public int Skipped { get; init; }

    /// <summary>What went wrong with requests, the first of it.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>What workers still hold after the traffic has ended.</summary>
    public IReadOnlyList<string> Leaks { get; init; } = [];

    /// <summary>Processes that ended though nobody had killed them.</summary>
    public IReadOnlyList<string> Crashes { get; init; } = [];

    /// <summary>Faults that were injected.</summary>
    public int Faults => Gaps.Sum(static row => row.Faults);

    /// <summary>Whether nothing was lost, changed, stuck or leaked, and no process failed.</summary>
    public bool IsGood => Tally.Bad == 0 && Leaks.Count == 0 && Crashes.Count == 0;

    /// <summary>For people.</summary>
    public string ToText()
    {
        var invariant = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.AppendLine(What).AppendLine(Machine).AppendLine();
        text.AppendLine(invariant, $"{Tally.Started} requests, {Tally.Tokens} tokens in {Seconds:0} s ({Tally.Tokens / Math.Max(0.001, Seconds):0.0} tokens/s), {Faults} faults{(Skipped > 0 ? $" ({Skipped} more had no victim)" : "")}");
        if (Tally.Resumed + Tally.Restarted + Tally.Refused > 0)
        {
            text.AppendLine(invariant, $"streams resumed {Tally.Resumed}, requests sent again {Tally.Restarted}, refusals before the start {Tally.Refused}");
        }

        if (Gaps.Count > 0)
        {
            List<string[]> rows = [["FAULT", "AT", "COUNT", "GAP P50 (MS)", "P95", "MAX"]];
            rows.AddRange(Gaps.Select(static row => (string[])
            [
                row.Kind, row.Place, row.Faults.ToString(CultureInfo.InvariantCulture),
                .. row.Gaps.Count == 0 ? ["-", "-", "-"] : new[] { 0.5, 0.95, 1 }.Select(share => Percentiles.Of(row.Gaps, share).ToString("0", CultureInfo.InvariantCulture)),
            ]));
            text.AppendLine().Append(TextTable.Format(rows)).AppendLine();
        }

        foreach (var line in Problems.Concat(Leaks).Concat(Crashes))
        {
            text.AppendLine($"  {line}");
        }

        text.AppendLine(invariant, $"lost {Tally.Lost}, changed {Tally.Changed}, stuck {Tally.Stuck}, leaks {Leaks.Count}, crashes {Crashes.Count}: {(IsGood ? "good" : "NOT GOOD")}");
        return text.ToString();
    }

    /// <summary>For programs.</summary>
    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("what", What);
            json.WriteString("machine", Machine);
            json.WriteNumber("seconds", Seconds);
            json.WriteBoolean("good", IsGood);
            WriteTally(json);
            json.WriteNumber("faults", Faults);
            json.WriteNumber("skipped", Skipped);
            json.WriteStartArray("gaps");
            foreach (var row in Gaps)
            {
                Write(json, row);
            }

            json.WriteEndArray();
            Write(json, "problems", Problems);
            Write(json, "leaks", Leaks);
            Write(json, "crashes", Crashes);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + Environment.NewLine;
    }

    private void WriteTally(Utf8JsonWriter json)
    {
        foreach (var (name, value) in (ReadOnlySpan<(string, long)>)
        [
            ("requests", Tally.Started), ("complete", Tally.Complete), ("lost", Tally.Lost), ("changed", Tally.Changed), ("stuck", Tally.Stuck),
            ("tokens", Tally.Tokens), ("resumed", Tally.Resumed), ("restarted", Tally.Restarted), ("refused", Tally.Refused),
        ])
        {
            json.WriteNumber(name, value);
        }
    }

    private static void Write(Utf8JsonWriter json, GapRow row)
    {
        json.WriteStartObject();
        json.WriteString("kind", row.Kind);
        json.WriteString("place", row.Place);
        json.WriteNumber("count", row.Faults);
        json.WriteStartArray("gaps_ms");
        foreach (var gap in row.Gaps)
        {
            json.WriteNumberValue(gap);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> lines)
    {
        json.WriteStartArray(name);
        foreach (var line in lines)
        {
            json.WriteStringValue(line);
        }

        json.WriteEndArray();
    }
}
