using System.Collections.Immutable;

namespace Parallax.Router.Access.Keys;

/// <summary>What happened to the API keys: the stream <see cref="KeyStore.Stream"/>.</summary>
internal abstract record KeyEvent;

/// <summary>A key was created.</summary>
/// <param name="Id">Names it; no secret.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Hash">Of its secret (<see cref="ApiKeySecret.HashOf"/>).</param>
/// <param name="Scopes">What it is good for (<see cref="KeyScopeText"/>).</param>
/// <param name="RequestsPerMinute">Its quota of requests; null: unlimited.</param>
/// <param name="TokensPerDay">Its quota of tokens; null: unlimited.</param>
/// <param name="CreatedBy">Who created it, for people.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="Expires">When it ends; null: never.</param>
internal sealed record KeyCreated(
    string Id,
    string Name,
    string Hash,
    ImmutableArray<string> Scopes,
    int? RequestsPerMinute,
    long? TokensPerDay,
    string CreatedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? Expires) : KeyEvent;

/// <summary>A key was changed; all that can be changed of it, as it is from now on.</summary>
internal sealed record KeyChanged(
    string Id,
    string Name,
    ImmutableArray<string> Scopes,
    int? RequestsPerMinute,
    long? TokensPerDay,
    DateTimeOffset? Expires) : KeyEvent;

/// <summary>A key was put out of use, for good.</summary>
/// <param name="Id">Which.</param>
/// <param name="RevokedBy">By whom, for people.</param>
/// <param name="RevokedAt">When.</param>
internal sealed record KeyRevoked(string Id, string RevokedBy, DateTimeOffset RevokedAt) : KeyEvent;

/// <summary>An event that this program cannot read.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Problem">Why not.</param>
internal sealed record UnreadableKeyEvent(string Type, string Problem) : KeyEvent;
