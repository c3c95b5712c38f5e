namespace Parallax.Router.Access.Keys;

/// <summary>What is chosen for a key and can be chosen anew.</summary>
internal sealed record KeySettings
{
    /// <summary>Letters of a name at most.</summary>
    public const int MaxNameLength = 100;

    /// <summary>Requests a minute that a quota may allow at most.</summary>
    public const int MostRequestsPerMinute = 1_000_000;

    /// <summary>Tokens a day that a quota may allow at most.</summary>
    public const long MostTokensPerDay = 1_000_000_000_000;

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>What it is good for.</summary>
    public KeyScope Scopes { get; init; } = KeyScope.Chat;

    /// <summary>Requests in any minute; null: unlimited.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Tokens of prompts and answers in a day (UTC); null: unlimited.</summary>
    public long? TokensPerDay { get; init; }

    /// <summary>When it ends; null: never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Everything that is wrong with them.</summary>
    public IEnumerable<string> Validate(DateTimeOffset now)
    {
        if (Name.Length is 0 or > MaxNameLength || Name.Any(char.IsControl))
        {
            yield return $"--name: use 1 to {MaxNameLength} characters, no control characters.";
        }

        if (Scopes == KeyScope.None)
        {
            yield return $"--scope: name at least one of {string.Join(", ", KeyScopeText.Words)}.";
        }

        if (RequestsPerMinute is < 1 or > MostRequestsPerMinute)
        {
            yield return $"--requests-per-minute: use 1 to {MostRequestsPerMinute}.";
        }

        if (TokensPerDay is < 1 or > MostTokensPerDay)
        {
            yield return $"--tokens-per-day: use 1 to {MostTokensPerDay}.";
        }

        if (Expires <= now)
        {
            yield return "--expires: that is past.";
        }
    }
}
