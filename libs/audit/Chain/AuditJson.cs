using System.Text.Json.Serialization;
using Parallax.Audit.Events;

namespace Parallax.Audit.Chain;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectRequiredConstructorParameters = false)]
[JsonSerializable(typeof(SegmentOpened))]
[JsonSerializable(typeof(RequestAccepted))]
[JsonSerializable(typeof(RouteChosen))]
[JsonSerializable(typeof(StageLost))]
[JsonSerializable(typeof(Rerouted))]
[JsonSerializable(typeof(TokensEmitted))]
[JsonSerializable(typeof(ChoiceCompleted))]
[JsonSerializable(typeof(RequestCompleted))]
[JsonSerializable(typeof(RequestFailed))]
[JsonSerializable(typeof(RequestCancelled))]
[JsonSerializable(typeof(RouterLost))]
[JsonSerializable(typeof(WriterStarted))]
[JsonSerializable(typeof(Checkpoint))]
[JsonSerializable(typeof(StreamsRetired))]
internal sealed partial class AuditJson : JsonSerializerContext;
