using System.Text.Json.Serialization;

namespace Parallax.Router.Api.Responses;

/// <summary><c>GET /v1/models</c>.</summary>
internal sealed record ModelList(string Object, IReadOnlyList<ModelEntry> Data);

/// <summary>One model.</summary>
internal sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy, int? MaxModelLen);

/// <summary>Every error.</summary>
internal sealed record ErrorEnvelope(ErrorBody Error);

/// <summary>What went wrong.</summary>
internal sealed record ErrorBody(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code);
