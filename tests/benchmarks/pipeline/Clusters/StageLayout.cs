using System.Text.Json;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;

namespace Parallax.PipelineBenchmark.Clusters;

/// <summary>A model cut over stages of this machine, as a map for workers and router.</summary>
internal static class StageLayout
{
    /// <summary>Even ranges of layers.</summary>
    /// <exception cref="OptionsException">More stages than layers.</exception>
    public static IReadOnlyList<LayerRange> Split(int layers, int stages)
    {
        OptionsException.ThrowIfAny(stages <= layers ? [] : [$"--stages: the model has {layers} layers, too few for {stages} stages."]);
        return [.. Enumerable.Range(0, stages).Select(i => new LayerRange(i * layers / stages, (i + 1) * layers / stages))];
    }

    public static string Id(int stage) => $"w{stage}";

    public static Uri Address(int port) => new($"http://127.0.0.1:{port}");

    /// <summary>Writes the map's file.</summary>
    public static void Write(string path, IReadOnlyList<LayerRange> ranges, IReadOnlyList<int> ports, IReadOnlyList<Uri> links)
    {
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file);
        json.WriteStartObject();
        json.WriteStartArray("workers");
        for (var i = 0; i < ranges.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("id", Id(i));
            json.WriteString("address", Address(ports[i]).ToString());
            json.WriteString("links", links[i].ToString());
            json.WriteStartArray("layers");
            json.WriteNumberValue(ranges[i].Start);
            json.WriteNumberValue(ranges[i].End);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
