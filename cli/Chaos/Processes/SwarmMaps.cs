using System.Text.Json;
using Parallax.Contracts.Identifiers;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>
/// The maps of stages of a local swarm. Workers read where they listen; a router reads where it and other workers dial
/// them, which may be relays. Links are dialled where the router's map says, because it names them when it opens a session.
/// </summary>
internal static class SwarmMaps
{
    /// <summary>Writes a map for <c>--stages</c>.</summary>
    public static void Write(string path, IEnumerable<Entry> entries)
    {
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file);
        json.WriteStartObject();
        json.WriteStartArray("workers");
        foreach (var entry in entries)
        {
            json.WriteStartObject();
            json.WriteString("id", entry.Id);
            json.WriteString("address", Address(entry.Port).ToString());
            json.WriteString("links", Address(entry.LinkPort).ToString());
            json.WriteStartArray("layers");
            json.WriteNumberValue(entry.Layers.Start);
            json.WriteNumberValue(entry.Layers.End);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A port of this machine.</summary>
    public static Uri Address(int port) => new($"http://127.0.0.1:{port}");

    /// <summary>A worker.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Layers">Its layers.</param>
    /// <param name="Port">Where it is reached.</param>
    /// <param name="LinkPort">Where other workers reach it.</param>
    public readonly record struct Entry(string Id, LayerRange Layers, int Port, int LinkPort);
}
