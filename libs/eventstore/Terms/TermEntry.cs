using System.Text.Json;
using System.Text.Json.Serialization;

namespace Parallax.EventStore.Terms;

/// <summary>The payload of every event of a lease's stream, so that the last one says all.</summary>
internal sealed record TermEntry(long Term, string Holder, string Address)
{
    public const string Taken = "TermTaken";
    public const string Renewed = "TermRenewed";
    public const string Released = "TermReleased";

    public NewEvent ToEvent(string type) => new(Guid.CreateVersion7(), type, JsonSerializer.SerializeToUtf8Bytes(this, TermJson.Default.TermEntry));

    public static TermEntry Read(StoredEvent stored)
    {
        try
        {
            return JsonSerializer.Deserialize(stored.Payload.Span, TermJson.Default.TermEntry)
                ?? throw new JsonException("the event is null");
        }
        catch (JsonException problem)
        {
            // Guessing a term could hand the same one out twice.
            throw new EventStoreException(
                $"Event {stored.Version} of stream '{stored.Stream}' cannot be read: {problem.Message} Restore the event store from a copy.", problem);
        }
    }
}

[JsonSerializable(typeof(TermEntry))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
internal sealed partial class TermJson : JsonSerializerContext;
