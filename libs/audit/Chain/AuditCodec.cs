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
        try
        {
            var root = JsonNode.Parse(payload.Span)?.AsObject() ?? throw new JsonException("null");
            var type = root["type"]!.GetValue<string>();
            var version = root["v"]!.GetValue<int>();
            if (!ByName.TryGetValue(type, out var known))
            {
                throw new AuditFormatException($"An event of the type '{type}' is unknown to this program: use the version that wrote it, or a newer one.");
            }

            if (version < 1 || version > known.Version)
            {
                throw new AuditFormatException(string.Create(CultureInfo.InvariantCulture, $"An event '{type}' has the version {version}; this program knows versions up to {known.Version}: use a newer one."));
            }

            var data = root["data"]!.AsObject();
            for (; version < known.Version; version++)
            {
                data = Upcasts.Step(type, version, data);
            }

            return new AuditRecord(
                root["stream"]!.GetValue<string>(),
                root["n"]!.GetValue<long>(),
                DateTimeOffset.UnixEpoch.AddTicks(root["at"]!.GetValue<long>() * TimeSpan.TicksPerMicrosecond),
                root["prev"]!.GetValue<string>(),
                (AuditEvent)(data.Deserialize(known.Info) ?? throw new JsonException("no data")));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException or OverflowException or ArgumentException)
        {
            throw new AuditFormatException($"This is no event of the audit: {e.Message}", e);
        }
    }
}
