using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Parallax.EventStore;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Workflow;

/// <summary>Events as they stand in the store: the record's name, and JSON.</summary>
internal static class EventCodec
{
    private static readonly ImmutableDictionary<string, JsonTypeInfo> Types = ImmutableDictionary.CreateRange<string, JsonTypeInfo>(
        StringComparer.Ordinal,
        new JsonTypeInfo[]
        {
            SchedulerJson.Default.TermStarted,
            SchedulerJson.Default.ModelDeployed,
            SchedulerJson.Default.ModelRetired,
            SchedulerJson.Default.WorkerDrained,
            SchedulerJson.Default.WorkerRemoved,
            SchedulerJson.Default.ShardPinned,
            SchedulerJson.Default.ShardUnpinned,
            SchedulerJson.Default.RebalanceAsked,
            SchedulerJson.Default.WorkerReturned,
            SchedulerJson.Default.WorkerLeft,
            SchedulerJson.Default.PlanChanged,
        }.Select(static type => KeyValuePair.Create(type.Type.Name, type)));

    public static NewEvent Encode(SchedulerEvent happened)
    {
        var name = happened.GetType().Name;
        return new NewEvent(Guid.CreateVersion7(), name, JsonSerializer.SerializeToUtf8Bytes(happened, Types[name]));
    }

    /// <summary>The event; an <see cref="UnreadableEvent"/> when this program cannot read it.</summary>
    public static SchedulerEvent Decode(string type, ReadOnlyMemory<byte> payload)
    {
        if (!Types.TryGetValue(type, out var info))
        {
            return new UnreadableEvent(type, "its type is unknown");
        }

        try
        {
            return JsonSerializer.Deserialize(payload.Span, info) switch
            {
                PlanChanged changed => changed with { Incarnations = changed.Incarnations.WithComparers(StringComparer.Ordinal) },
                SchedulerEvent happened => happened,
                _ => new UnreadableEvent(type, "it is null"),
            };
        }
        catch (JsonException problem)
        {
            return new UnreadableEvent(type, problem.Message);
        }
    }
}

[JsonSerializable(typeof(TermStarted))]
[JsonSerializable(typeof(ModelDeployed))]
[JsonSerializable(typeof(ModelRetired))]
[JsonSerializable(typeof(WorkerDrained))]
[JsonSerializable(typeof(WorkerRemoved))]
[JsonSerializable(typeof(ShardPinned))]
[JsonSerializable(typeof(ShardUnpinned))]
[JsonSerializable(typeof(RebalanceAsked))]
[JsonSerializable(typeof(WorkerReturned))]
[JsonSerializable(typeof(WorkerLeft))]
[JsonSerializable(typeof(PlanChanged))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    IgnoreReadOnlyProperties = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
internal sealed partial class SchedulerJson : JsonSerializerContext;
