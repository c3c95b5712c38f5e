namespace Parallax.Router.Access.Quotas;

/// <summary>What one key uses. Not thread-safe: the ledger's lock guards it.</summary>
internal sealed class KeyUsage
{
    /// <summary>Its requests of the last minute.</summary>
    public RequestWindow Requests { get; } = new();

    /// <summary>Its tokens of the day.</summary>
    public DayTokens Tokens { get; } = new();

    /// <summary>Lets time pass.</summary>
    public void Advance(DateTimeOffset now)
    {
        Requests.Advance(now);
        Tokens.Advance(now);
    }

    /// <summary>Where it stands against its quotas.</summary>
    public QuotaStanding Standing(int? requestsPerMinute, long? tokensPerDay, DateTimeOffset now) => new(
        requestsPerMinute is { } requests
            ? new QuotaFigures(requests, Math.Max(0, requests - Requests.Count), Requests.UntilAtMost(0, now))
            : null,
        tokensPerDay is { } tokens
            ? new QuotaFigures(tokens, Math.Max(0, tokens - Tokens.Taken), DayTokens.UntilNextDay(now))
            : null);
}
