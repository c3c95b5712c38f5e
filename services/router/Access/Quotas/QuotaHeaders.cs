using System.Globalization;

namespace Parallax.Router.Access.Quotas;

/// <summary>Quotas as OpenAI's API tells them in headers of every answer.</summary>
internal static class QuotaHeaders
{
    /// <summary>Sets the headers of the quotas that there are.</summary>
    public static void Write(IHeaderDictionary headers, QuotaStanding standing)
    {
        Write(headers, "requests", standing.Requests);
        Write(headers, "tokens", standing.Tokens);
    }

    /// <summary>A span as that API writes it, in whole seconds, rounded up: <c>6m0s</c>, <c>17s</c>, <c>7h12m0s</c>.</summary>
    public static string Format(TimeSpan span)
    {
        var seconds = (long)Math.Ceiling(Math.Max(0, span.TotalSeconds));
        var (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        return hours > 0 ? string.Create(CultureInfo.InvariantCulture, $"{hours}h{minutes}m{seconds % 60}s")
            : minutes > 0 ? string.Create(CultureInfo.InvariantCulture, $"{minutes}m{seconds % 60}s")
            : string.Create(CultureInfo.InvariantCulture, $"{seconds}s");
    }

    private static void Write(IHeaderDictionary headers, string kind, QuotaFigures? figures)
    {
        if (figures is { } quota)
        {
            headers[$"x-ratelimit-limit-{kind}"] = quota.Limit.ToString(CultureInfo.InvariantCulture);
            headers[$"x-ratelimit-remaining-{kind}"] = quota.Remaining.ToString(CultureInfo.InvariantCulture);
            headers[$"x-ratelimit-reset-{kind}"] = Format(quota.Reset);
        }
    }
}
