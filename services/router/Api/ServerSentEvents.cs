using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Parallax.Router.Api;

/// <summary>
/// Formats server-sent events. JSON as written here holds no line breaks, so that an event's data is one line.
/// </summary>
internal static class ServerSentEvents
{
    public const string ContentType = "text/event-stream; charset=utf-8";

    private static ReadOnlySpan<byte> DonePayload => "data: [DONE]\n\n"u8;

    /// <summary>Writes an event, with an id unless it is null.</summary>
    public static void Write<T>(IBufferWriter<byte> output, string? id, T data, JsonTypeInfo<T> type)
    {
        if (id is not null)
        {
            output.Write("id: "u8);
            Encoding.UTF8.GetBytes(id, output);
            output.Write("\n"u8);
        }

        output.Write("data: "u8);
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = type.Options.Encoder }))
        {
            JsonSerializer.Serialize(json, data, type);
        }

        output.Write("\n\n"u8);
    }

    /// <summary>Writes a comment, which clients skip. Line breaks in it become spaces.</summary>
    public static void WriteComment(IBufferWriter<byte> output, string text)
    {
        output.Write(": "u8);
        Encoding.UTF8.GetBytes(text.ReplaceLineEndings(" "), output);
        output.Write("\n\n"u8);
    }

    /// <summary>Writes the event that ends a complete answer.</summary>
    public static void WriteDone(IBufferWriter<byte> output) => output.Write(DonePayload);
}
