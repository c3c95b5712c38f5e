using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Parallax.Audit.Events;

namespace Parallax.Audit.Chain;

/// <summary>
/// Events as JSON: <c>{"v":1,"stream":…,"n":…,"at":…,"prev":…,"type":…,"data":{…}}</c>, <c>v</c> being the version of the
/// type's data and <c>at</c> microseconds since 1970. What was written is never written anew: an older version is brought up to
/// date as it is read, step by step (<see cref="Upcasts"/>), and its hash stays that of its bytes.
/// </summary>
public static class AuditCodec
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly FrozenDictionary<Type, (string Name, int Version, JsonTypeInfo Info)> ByType = new Dictionary<Type, (string, int, JsonTypeInfo)>
    {
        [typeof(SegmentOpened)] = ("segment-opened", 1, AuditJson.Default.SegmentOpened),
        [typeof(RequestAccepted)] = ("request-accepted", 1, AuditJson.Default.RequestAccepted),
        [typeof(RouteChosen)] = ("route-chosen", 1, AuditJson.Default.RouteChosen),
        [typeof(StageLost)] = ("stage-lost", 1, AuditJson.Default.StageLost),
        [typeof(Rerouted)] = ("rerouted", 1, AuditJson.Default.Rerouted),
        [typeof(TokensEmitted)] = ("tokens-emitted", 1, AuditJson.Default.TokensEmitted),
        [typeof(ChoiceCompleted)] = ("choice-completed", 1, AuditJson.Default.ChoiceCompleted),
        [typeof(RequestCompleted)] = ("request-completed", 1, AuditJson.Default.RequestCompleted),
        [typeof(RequestFailed)] = ("request-failed", 1, AuditJson.Default.RequestFailed),
        [typeof(RequestCancelled)] = ("request-cancelled", 1, AuditJson.Default.RequestCancelled),
        [typeof(RouterLost)] = ("router-lost", 1, AuditJson.Default.RouterLost),
        [typeof(WriterStarted)] = ("writer-started", 1, AuditJson.Default.WriterStarted),
        [typeof(Checkpoint)] = ("checkpoint", 1, AuditJson.Default.Checkpoint),
        [typeof(StreamsRetired)] = ("streams-retired", 1, AuditJson.Default.StreamsRetired),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, (int Version, JsonTypeInfo Info)> ByName =
        ByType.Values.ToFrozenDictionary(static one => one.Name, static one => (one.Version, one.Info), StringComparer.Ordinal);

    /// <summary>The name of an event's type.</summary>
    public static string TypeOf(AuditEvent one)
    {
        ArgumentNullException.ThrowIfNull(one);
        return ByType[one.GetType()].Name;
    }

    /// <summary>An event as it is stored and hashed.</summary>
    public static ReadOnlyMemory<byte> Encode(AuditRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        var (name, version, info) = ByType[record.Event.GetType()];
        var bytes = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(bytes, Json))
        {
            json.WriteStartObject();
            json.WriteNumber("v"u8, version);
            json.WriteString("stream"u8, record.Stream);
            json.WriteNumber("n"u8, record.Number);
            json.WriteNumber("at"u8, (record.At - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            json.WriteString("prev"u8, record.Previous);
            json.WriteString("type"u8, name);
            json.WritePropertyName("data"u8);
            JsonSerializer.Serialize(json, record.Event, info);
            json.WriteEndObject();
        }

        return bytes.WrittenMemory;
    }

    /// <summary>Reads an event of any version there has been.</summary>
    /// <exception cref="AuditFormatException">It is none, or newer than this program.</exception>
    public static AuditRecord Decode(ReadOnlyMemory<byte> payload)
    {
        var (envelope, data) = Read(payload);
        var (type, version) = (envelope.Type, envelope.Version);
        if (!ByName.TryGetValue(type, out var known))
        {
            throw new AuditFormatException($"An event of the type '{type}' is unknown to this program: use the version that wrote it, or a newer one.") { IsNewer = true };
        }

        if (version > known.Version)
        {
            throw new AuditFormatException(string.Create(CultureInfo.InvariantCulture, $"An event '{type}' has the version {version}; this program knows versions up to {known.Version}: use a newer one.")) { IsNewer = true };
        }

        try
        {
            var what = version == known.Version ? JsonSerializer.Deserialize(data.Span, known.Info) : Upcast(type, version, known, data);
            var read = (AuditEvent)(what ?? throw new JsonException("no data"));
            EventChecks.RequireWhole(read);
            return new AuditRecord(envelope.Stream, envelope.Number, envelope.At, envelope.Previous, read);
        }
        catch (Exception e) when (IsFormat(e))
        {
            throw new AuditFormatException($"This is no event of the audit: {e.Message}", e);
        }
    }

    /// <summary>Reads an event's place in the chain, also of one that is newer than this program.</summary>
    /// <exception cref="AuditFormatException">It is no event.</exception>
    public static AuditEnvelope ReadEnvelope(ReadOnlyMemory<byte> payload) => Read(payload).Envelope;

    private static object? Upcast(string type, int version, (int Version, JsonTypeInfo Info) known, ReadOnlyMemory<byte> data)
    {
        var brought = JsonNode.Parse(data.Span)!.AsObject();
        for (; version < known.Version; version++)
        {
            brought = Upcasts.Step(type, version, brought);
        }

        return brought.Deserialize(known.Info);
    }

    private static (AuditEnvelope Envelope, ReadOnlyMemory<byte> Data) Read(ReadOnlyMemory<byte> payload)
    {
        try
        {
            var (version, number, at) = (0, 0L, long.MinValue);
            string? stream = null, previous = null, type = null;
            var data = ReadOnlyMemory<byte>.Empty;
            var json = new Utf8JsonReader(payload.Span);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonException("it is no object");
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var name = json.GetString();
                json.Read();
                switch (name)
                {
                    case "v":
                        version = json.GetInt32();
                        break;
                    case "stream":
                        stream = json.GetString();
                        break;
                    case "n":
                        number = json.GetInt64();
                        break;
                    case "at":
                        at = json.GetInt64();
                        break;
                    case "prev":
                        previous = json.GetString();
                        break;
                    case "type":
                        type = json.GetString();
                        break;
                    case "data":
                        var start = (int)json.TokenStartIndex;
                        json.Skip();
                        data = payload[start..(int)json.BytesConsumed];
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }

            while (json.Read()) // what follows the object is an error
            {
            }

            if (stream is null || previous is null || type is null || version < 1 || number < 1 || at == long.MinValue || data.IsEmpty)
            {
                throw new JsonException("it lacks its place in a chain");
            }

            return (new AuditEnvelope(stream, number, DateTimeOffset.UnixEpoch.AddTicks(checked(at * TimeSpan.TicksPerMicrosecond)), previous, type, version), data);
        }
        catch (Exception e) when (IsFormat(e))
        {
            throw new AuditFormatException($"This is no event of the audit: {e.Message}", e);
        }
    }

    private static bool IsFormat(Exception e) =>
        e is JsonException or InvalidOperationException or NullReferenceException or FormatException or OverflowException or ArgumentException;
}
