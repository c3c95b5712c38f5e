using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Parallax.EventStore;

namespace Parallax.Router.Access.Keys;

/// <summary>Events of keys as they stand in the store: the record's name, and JSON.</summary>
internal static class KeyCodec
{
    private static readonly ImmutableDictionary<string, JsonTypeInfo> Types = ImmutableDictionary.CreateRange<string, JsonTypeInfo>(
        StringComparer.Ordinal,
        new JsonTypeInfo[]
        {
            KeyJson.Default.KeyCreated,
            KeyJson.Default.KeyChanged,
            KeyJson.Default.KeyRevoked,
        }.Select(static type => KeyValuePair.Create(type.Type.Name, type)));

    public static NewEvent Encode(KeyEvent happened)
    {
        var name = happened.GetType().Name;
        return new NewEvent(Guid.CreateVersion7(), name, JsonSerializer.SerializeToUtf8Bytes(happened, Types[name]));
    }

    /// <summary>The event; an <see cref="UnreadableKeyEvent"/> where this program cannot read it.</summary>
    public static KeyEvent Decode(string type, ReadOnlyMemory<byte> payload)
    {
        if (!Types.TryGetValue(type, out var info))
        {
            return new UnreadableKeyEvent(type, "its type is unknown to this program");
        }

        try
        {
            return JsonSerializer.Deserialize(payload.Span, info) switch
            {
                KeyCreated { Scopes.IsDefault: true } or KeyChanged { Scopes.IsDefault: true } => new UnreadableKeyEvent(type, "it has no scopes"),
                KeyEvent happened => happened,
                _ => new UnreadableKeyEvent(type, "it is null"),
            };
        }
        catch (JsonException problem)
        {
            return new UnreadableKeyEvent(type, problem.Message);
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeyCreated))]
[JsonSerializable(typeof(KeyChanged))]
[JsonSerializable(typeof(KeyRevoked))]
internal sealed partial class KeyJson : JsonSerializerContext;
