using System.Text.Json.Serialization;
using Parallax.Router.Access.Keys;

namespace Parallax.Cli.Keys;

/// <summary>A key for programs.</summary>
internal sealed record KeyReport(
    string Id,
    string Name,
    string[] Scopes,
    string State,
    int? RequestsPerMinute,
    long? TokensPerDay,
    DateTimeOffset? Expires,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset? RevokedAt)
{
    public static KeyReport Of(ApiKey key, DateTimeOffset now) => new(
        key.Id,
        key.Settings.Name,
        key.Settings.Scopes.ToWords(),
        KeyText.State(key, now),
        key.Settings.RequestsPerMinute,
        key.Settings.TokensPerDay,
        key.Settings.Expires,
        key.CreatedAt,
        key.CreatedBy,
        key.RevokedAt);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(KeyReport[]))]
internal sealed partial class KeyReportJson : JsonSerializerContext;
