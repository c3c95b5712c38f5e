using System.Text.Json.Serialization;
using Parallax.Contracts.Identifiers;
using Parallax.Identity.Tokens;

namespace Parallax.Identity.Authority;

/// <summary>What is remembered of a token that was given out: not the token.</summary>
public sealed record IssuedToken
{
    /// <summary>Its id in text.</summary>
    [JsonPropertyName("id")]
    public required string IdText { get; init; }

    /// <summary>Its roles in words.</summary>
    [JsonPropertyName("roles")]
    public required string RolesText { get; init; }

    /// <summary>The peer that it pins, in text.</summary>
    [JsonPropertyName("bootstrap")]
    public required string BootstrapText { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>From here on nobody joins with it.</summary>
    public required DateTimeOffset Expires { get; init; }

    internal static IssuedToken Of(JoinToken token, DateTimeOffset now) => new()
    {
        IdText = token.Id.ToString(),
        RolesText = token.Roles.ToText(),
        BootstrapText = token.Bootstrap.ToString(),
        Created = now,
        Expires = token.Expires,
    };

    internal bool IsSound() => TokenId.TryParse(IdText, out _) && MemberRolesText.Parse(RolesText) is not null && PeerId.TryParse(BootstrapText, out _);
}
