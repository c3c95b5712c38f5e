using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Parallax.Cli.Terminal;
using Parallax.Contracts.Identifiers;
using Parallax.Placement;

namespace Parallax.Cli.Plan;

/// <summary>A placement for people and for programs.</summary>
/// <param name="Plan">Who is to hold what.</param>
/// <param name="Moves">What changes against what is held; null where nothing was said to be held.</param>
internal sealed record PlanReport(AllocationPlan Plan, ImmutableArray<Move>? Moves)
{
    /// <summary>A table, predictions, and why.</summary>
    public string ToText()
    {
        List<string[]> rows = [["MODEL", "PIPELINE", "LAYERS", "NODE"]];
        for (var i = 0; i < Plan.Pipelines.Length; i++)
        {
            rows.AddRange(Plan.Pipelines[i].Stages.Select(stage => new[] { stage.Model, (i + 1).ToString(CultureInfo.InvariantCulture), Layers(stage.Range), stage.Node }));
        }

        rows.AddRange(Plan.Replicas.Select(static one => new[] { one.Model, "copy", Layers(one.Range), one.Node }));
        rows.AddRange(Plan.Standby.Select(static node => new[] { "-", "standby", "-", node }));
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, column) => cell.PadRight(rows.Max(other => other[column].Length)));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }

        for (var i = 0; i < Plan.Pipelines.Length; i++)
        {
            var pipeline = Plan.Pipelines[i];
            text.Append(CultureInfo.InvariantCulture, $"pipeline {i + 1}: {Figures.Digits(pipeline.LatencyMs)} ms per token of one session, {Figures.Digits(pipeline.TokensPerSecond)} tokens/s together\n");
        }

        foreach (var line in Plan.Shortages.Select(static one => one.Text).Concat(Plan.Reasons))
        {
            text.Append(line).Append('\n');
        }

        if (Moves is { } moves)
        {
            text.Append(moves.IsEmpty ? "Nothing moves.\n" : "");
            foreach (var move in moves)
            {
                text.Append(CultureInfo.InvariantCulture, $"move: {move.Node} {Layers(move.From)} -> {Layers(move.To)}, loads {Figures.Bytes(move.LoadBytes)}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>One JSON object, with a line break at its end.</summary>
    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("pipelines");
            foreach (var pipeline in Plan.Pipelines)
            {
                json.WriteStartObject();
                json.WriteString("model", pipeline.Model);
                json.WriteNumber("latency_ms", pipeline.LatencyMs);
                json.WriteNumber("tokens_per_second", pipeline.TokensPerSecond);
                WriteAssignments(json, "stages", pipeline.Stages);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            WriteAssignments(json, "replicas", Plan.Replicas);
            WriteStrings(json, "standby", Plan.Standby);
            json.WriteStartArray("shortages");
            foreach (var shortage in Plan.Shortages)
            {
                json.WriteStartObject();
                json.WriteString("model", shortage.Model);
                json.WriteString("resource", shortage.Resource);
                json.WriteNumber("missing", shortage.Missing);
                json.WriteString("text", shortage.Text);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            WriteStrings(json, "reasons", Plan.Reasons);
            if (Moves is { } moves)
            {
                json.WriteStartArray("moves");
                foreach (var move in moves)
                {
                    json.WriteStartObject();
                    json.WriteString("node", move.Node);
                    json.WriteString("model", move.Model);
                    WriteRange(json, "from", move.From);
                    WriteRange(json, "to", move.To);
                    json.WriteNumber("load_bytes", move.LoadBytes);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + Environment.NewLine;
    }

    private static string Layers(LayerRange? range) =>
        range is { } layers ? string.Create(CultureInfo.InvariantCulture, $"{layers.Start}-{layers.End}") : "nothing";

    private static void WriteAssignments(Utf8JsonWriter json, string name, ImmutableArray<Assignment> assignments)
    {
        json.WriteStartArray(name);
        foreach (var one in assignments)
        {
            json.WriteStartObject();
            json.WriteString("node", one.Node);
            json.WriteString("model", one.Model);
            WriteRange(json, "layers", one.Range);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, ImmutableArray<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static void WriteRange(Utf8JsonWriter json, string name, LayerRange? range)
    {
        if (range is not { } layers)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartArray(name);
        json.WriteNumberValue(layers.Start);
        json.WriteNumberValue(layers.End);
        json.WriteEndArray();
    }
}
