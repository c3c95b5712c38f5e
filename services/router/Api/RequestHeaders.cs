using Microsoft.Extensions.Primitives;

namespace Parallax.Router.Api;

/// <summary>What the headers of a completion's request say.</summary>
/// <param name="ApiKey">The bearer token of <c>Authorization</c>; empty without one.</param>
/// <param name="IdempotencyKey">Null without one.</param>
/// <param name="LastEventId">The last event that the client has; null when it has none.</param>
internal sealed record RequestHeaders(string ApiKey, string? IdempotencyKey, string? LastEventId)
{
    public const string RequestId = "x-request-id";
    public const string IdempotencyKeyName = "Idempotency-Key";
    public const string LastEventIdName = "Last-Event-ID";
    public const int MaxIdempotencyKeyLength = 255;
    public const int MaxLastEventIdLength = 4096;

    private const string Bearer = "Bearer ";

    /// <exception cref="ApiException">A header is repeated, too long, or holds what no client should send.</exception>
    public static RequestHeaders Read(IHeaderDictionary headers) => new(
        ApiKeyOf(headers.Authorization),
        One(headers[IdempotencyKeyName], IdempotencyKeyName, MaxIdempotencyKeyLength, isEmptyWrong: true),
        One(headers[LastEventIdName], LastEventIdName, MaxLastEventIdLength, isEmptyWrong: false));

    private static string ApiKeyOf(StringValues authorization)
    {
        var value = authorization.ToString();
        return value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? value[Bearer.Length..].Trim() : value;
    }

    private static string? One(StringValues values, string name, int most, bool isEmptyWrong)
    {
        if (values.Count == 0 || (values.Count == 1 && !isEmptyWrong && values[0] is null or ""))
        {
            return null; // a client that has no event yet may send an empty id
        }

        var text = values[0] ?? "";
        if (values.Count > 1 || text.Length == 0 || text.Length > most || text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw ApiException.Invalid(name, $"The header '{name}' must be given once, with 1 to {most} printable ASCII characters.", "invalid_header");
        }

        return text;
    }
}
