namespace Parallax.Router.Access.Keys;

/// <summary>The secret that a request brings.</summary>
internal static class PresentedKey
{
    private const string Bearer = "Bearer ";

    /// <summary>
    /// The bearer token of <c>Authorization</c>, as request ids are bound to it, too; null without one, or where there are several.
    /// </summary>
    public static string? Of(IHeaderDictionary headers) =>
        headers.Authorization is [{ } value] && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && value.AsSpan(Bearer.Length).Trim() is { Length: > 0 } token
            ? token.ToString()
            : null;
}
