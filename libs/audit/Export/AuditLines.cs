using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Parallax.Audit.Chain;
using Parallax.EventStore;

namespace Parallax.Audit.Export;

/// <summary>
/// Stored events as lines of JSON: <c>{"position":…,"stream":…,"version":…,"id":…,"type":…,"recorded_at":…,"payload":{…}}</c>, the payload
/// being the stored bytes as they are, so that its hash can be checked; <c>payload_base64</c> stands in its place where it is no JSON.
/// <c>recorded_at</c> is microseconds since 1970.
/// </summary>
public static class AuditLines
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A line, with its end.</summary>
    public static ReadOnlyMemory<byte> Write(StoredEvent stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var bytes = new ArrayBufferWriter<byte>(stored.Payload.Length + 256);
        using (var json = new Utf8JsonWriter(bytes, Writing))
        {
            json.WriteStartObject();
            json.WriteNumber("position"u8, stored.Position);
            json.WriteString("stream"u8, stored.Stream);
            json.WriteNumber("version"u8, stored.Version);
            json.WriteString("id"u8, stored.Id);
            json.WriteString("type"u8, stored.Type);
            json.WriteNumber("recorded_at"u8, (stored.RecordedAt - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            if (IsOneLineOfJson(stored.Payload.Span))
            {
                json.WritePropertyName("payload"u8);
                json.WriteRawValue(stored.Payload.Span, skipInputValidation: true);
            }
            else
            {
                json.WriteBase64String("payload_base64"u8, stored.Payload.Span);
            }

            json.WriteEndObject();
        }

        bytes.Write("\n"u8);
        return bytes.WrittenMemory;
    }

    /// <summary>Reads a line.</summary>
    /// <exception cref="AuditFormatException">It is none.</exception>
    public static StoredEvent Read(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return new StoredEvent(
                root.GetProperty("stream").GetString() ?? throw new JsonException("no stream"),
                root.GetProperty("version").GetInt64(),
                root.GetProperty("position").GetInt64(),
                root.GetProperty("id").GetGuid(),
                root.GetProperty("type").GetString() ?? throw new JsonException("no type"),
                DateTimeOffset.UnixEpoch.AddTicks(checked(root.GetProperty("recorded_at").GetInt64() * TimeSpan.TicksPerMicrosecond)),
                root.TryGetProperty("payload", out var payload)
                    ? System.Text.Encoding.UTF8.GetBytes(payload.GetRawText())
                    : root.GetProperty("payload_base64").GetBytesFromBase64());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException or OverflowException)
        {
            throw new AuditFormatException($"This is no line of an export: {e.Message}", e);
        }
    }

    private static bool IsOneLineOfJson(ReadOnlySpan<byte> payload)
    {
        if (payload.IndexOfAny((byte)'\n', (byte)'\r') >= 0)
        {
            return false;
        }

        var reader = new Utf8JsonReader(payload);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                {
                    _ = reader.GetString(); // not every sequence of bytes is UTF-8
                }
            }

            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false; // somebody has changed it: the bytes are told as they are
        }
    }
}
