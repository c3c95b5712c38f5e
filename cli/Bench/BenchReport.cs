using System.Globalization;
using System.Text;
using System.Text.Json;
using Parallax.Cli.Terminal;

namespace Parallax.Cli.Bench;

/// <summary>What was measured, as a table and as JSON.</summary>
internal sealed record BenchReport(
    string Model, string Machine, DateTimeOffset Date, int Threads, BenchPlan Plan, IReadOnlyList<SubjectResults> Subjects)
{
    /// <summary>Why the figures may be wrong; null for no known reason.</summary>
    public string? Warning { get; init; }

    /// <summary>A table for people: medians, with the least and the most, and the ratio to the peer.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Model}: {Threads} threads, median of {Plan.Repetitions} (least .. most), {Date:yyyy-MM-dd}, {Machine}");
        foreach (var subject in Subjects)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{subject.Name,-10} {subject.Description}");
        }

        if (Warning is not null)
        {
            text.AppendLine($"WARNING: {Warning}");
        }

        text.AppendLine().AppendLine(Row("", [.. Subjects.Select(static s => s.Name)], Subjects.Count > 1 ? "ratio" : ""));
        Add(string.Create(CultureInfo.InvariantCulture, $"prefill {Plan.PrefillTokens} (tokens/s)"), static s => s.Prefill);
        Add(string.Create(CultureInfo.InvariantCulture, $"decode {Plan.DecodeTokens} (tokens/s)"), static s => s.Decode);
        foreach (var size in Plan.BatchSizes)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{size} at once (tokens/s)"), s => s.Batches[size]);
        }

        text.AppendLine(Row("load (s)", [.. Subjects.Select(static s => Figures.Digits(s.LoadSeconds))], ""));
        text.AppendLine(Row("resident (peak)", [.. Subjects.Select(static s => $"{Figures.Bytes(s.Memory.Resident)} ({Figures.Bytes(s.Memory.Peak)})")], ""));
        return text.ToString();

        void Add(string name, Func<SubjectResults, Series> series) => text.AppendLine(Row(
            name,
            [.. Subjects.Select(s => Show(series(s)))],
            Subjects.Count > 1 ? (series(Subjects[0]).Median / series(Subjects[1]).Median).ToString("0.00", CultureInfo.InvariantCulture) : ""));
    }

    /// <summary>One JSON object, with a line break at its end.</summary>
    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("model", Model);
            json.WriteString("machine", Machine);
            json.WriteString("date", Date);
            json.WriteString("warning", Warning);
            json.WriteNumber("threads", Threads);
            json.WriteNumber("repetitions", Plan.Repetitions);
            json.WriteNumber("prefill_tokens", Plan.PrefillTokens);
            json.WriteNumber("decode_tokens", Plan.DecodeTokens);
            json.WriteStartArray("subjects");
            foreach (var subject in Subjects)
            {
                Write(json, subject);
            }

            json.WriteEndArray();
            if (Subjects.Count > 1)
            {
                WriteRatios(json, Subjects[0], Subjects[1]);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + Environment.NewLine;
    }

    private static string Show(Series series) => $"{Figures.Digits(series.Median)} ({Figures.Digits(series.Least)} .. {Figures.Digits(series.Most)})";

    private static string Row(string name, IReadOnlyList<string> cells, string last) =>
        $"{name,-24}{string.Concat(cells.Select(static cell => $"{cell,-28}"))}{last}".TrimEnd();

    private static void Write(Utf8JsonWriter json, SubjectResults subject)
    {
        json.WriteStartObject();
        json.WriteString("name", subject.Name);
        json.WriteString("description", subject.Description);
        json.WriteNumber("load_seconds", subject.LoadSeconds);
        json.WriteNumber("resident_bytes", subject.Memory.Resident);
        json.WriteNumber("peak_bytes", subject.Memory.Peak);
        Write(json, "prefill_tokens_per_second", subject.Prefill);
        Write(json, "decode_tokens_per_second", subject.Decode);
        json.WriteStartObject("batch_tokens_per_second");
        foreach (var (size, series) in subject.Batches)
        {
            Write(json, size.ToString(CultureInfo.InvariantCulture), series);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, Series series)
    {
        json.WriteStartObject(name);
        json.WriteNumber("median", series.Median);
        json.WriteStartArray("values");
        foreach (var value in series.Values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRatios(Utf8JsonWriter json, SubjectResults ours, SubjectResults peer)
    {
        json.WriteStartObject("ratios");
        json.WriteNumber("prefill", ours.Prefill.Median / peer.Prefill.Median);
        json.WriteNumber("decode", ours.Decode.Median / peer.Decode.Median);
        foreach (var (size, series) in ours.Batches)
        {
            json.WriteNumber($"batch_{size.ToString(CultureInfo.InvariantCulture)}", series.Median / peer.Batches[size].Median);
        }

        json.WriteEndObject();
    }
}
