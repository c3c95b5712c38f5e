using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Parallax.Scheduler.Commands;

/// <summary>Events of commands as they stand in the store: the record's name, and JSON.</summary>
internal static class WorkflowCodec
{
    private static readonly ImmutableDictionary<string, JsonTypeInfo> Types = ImmutableDictionary.CreateRange<string, JsonTypeInfo>(
        StringComparer.Ordinal,
        new JsonTypeInfo[]
        {
            WorkflowJson.Default.CommandSubmitted,
            WorkflowJson.Default.CommandTaken,
            WorkflowJson.Default.CommandApplied,
            WorkflowJson.Default.CommandCompleted,
            WorkflowJson.Default.CommandRejected,
            WorkflowJson.Default.CommandTimedOut,
            WorkflowJson.Default.CommandExpired,
            WorkflowJson.Default.CommandSuperseded,
        }.Select(static type => KeyValuePair.Create(type.Type.Name, type)));

    public static (string Type, byte[] Payload) Encode(WorkflowEvent happened)
    {
        var name = happened.GetType().Name;
        return (name, JsonSerializer.SerializeToUtf8Bytes(happened, Types[name]));
    }

    /// <summary>The event; null when this program cannot read it.</summary>
    public static WorkflowEvent? Decode(string type, ReadOnlyMemory<byte> payload)
    {
        try
        {
            return Types.TryGetValue(type, out var info) ? (WorkflowEvent?)JsonSerializer.Deserialize(payload.Span, info) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(CommandSubmitted))]
[JsonSerializable(typeof(CommandTaken))]
[JsonSerializable(typeof(CommandApplied))]
[JsonSerializable(typeof(CommandCompleted))]
[JsonSerializable(typeof(CommandRejected))]
[JsonSerializable(typeof(CommandTimedOut))]
[JsonSerializable(typeof(CommandExpired))]
[JsonSerializable(typeof(CommandSuperseded))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
internal sealed partial class WorkflowJson : JsonSerializerContext;
