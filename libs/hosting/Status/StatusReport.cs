using System.Text.Json.Serialization;

namespace Parallax.Hosting.Status;

/// <summary>The answer of the health addresses.</summary>
/// <param name="Status"><c>ok</c> or <c>unavailable</c>.</param>
/// <param name="Problem">Why; left out when there is none.</param>
internal sealed record StatusReport(string Status, string? Problem);

[JsonSerializable(typeof(StatusReport))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class StatusJsonContext : JsonSerializerContext;
