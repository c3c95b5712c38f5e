namespace Parallax.Router.Access.Quotas;

/// <summary>Where a key stands against its quotas.</summary>
/// <param name="Requests">Requests in a minute; null: unlimited.</param>
/// <param name="Tokens">Tokens in a day; null: unlimited.</param>
internal sealed record QuotaStanding(QuotaFigures? Requests, QuotaFigures? Tokens);

/// <summary>One quota.</summary>
/// <param name="Limit">What it allows.</param>
/// <param name="Remaining">What is left of it.</param>
/// <param name="Reset">When all of it is there again, if nothing is used meanwhile.</param>
internal readonly record struct QuotaFigures(long Limit, long Remaining, TimeSpan Reset);
