using System.Globalization;
using Parallax.Router.Access.Keys;

namespace Parallax.Cli.Keys;

/// <summary>Keys for people.</summary>
internal static class KeyText
{
    /// <summary>Of the list.</summary>
    public static readonly string[] Heading = ["KEY", "NAME", "SCOPES", "STATE", "REQUESTS/MIN", "TOKENS/DAY", "EXPIRES", "CREATED", "BY"];

    public static string[] Row(ApiKey key, DateTimeOffset now) =>
    [
        key.Id,
        key.Settings.Name,
        key.Settings.Scopes.ToText(),
        State(key, now),
        key.Settings.RequestsPerMinute?.ToString(CultureInfo.InvariantCulture) ?? "-",
        key.Settings.TokensPerDay?.ToString(CultureInfo.InvariantCulture) ?? "-",
        key.Settings.Expires?.ToString("u", CultureInfo.InvariantCulture) ?? "-",
        key.CreatedAt.ToString("u", CultureInfo.InvariantCulture),
        key.CreatedBy,
    ];

    public static string State(ApiKey key, DateTimeOffset now) => key.RevokedAt is not null ? "revoked" : key.HasExpired(now) ? "expired" : "valid";

    public static string Quotas(KeySettings settings) => (settings.RequestsPerMinute, settings.TokensPerDay) switch
    {
        (null, null) => "without limits",
        ({ } requests, null) => string.Create(CultureInfo.InvariantCulture, $"{requests} requests a minute"),
        (null, { } tokens) => string.Create(CultureInfo.InvariantCulture, $"{tokens} tokens a day"),
        ({ } requests, { } tokens) => string.Create(CultureInfo.InvariantCulture, $"{requests} requests a minute and {tokens} tokens a day"),
    };

    public static string Until(KeySettings settings) => settings.Expires is { } end ? string.Create(CultureInfo.InvariantCulture, $"until {end:u}") : "without end";
}
