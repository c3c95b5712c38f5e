using Parallax.Router.Access.Keys;
using Parallax.Router.Api;

namespace Parallax.Router.Access.Gate;

/// <summary>Admits requests by the keys that they bring.</summary>
internal sealed class KeyGate(RouterOptions options, KeyDirectory keys, TimeProvider clock)
{
    /// <summary>The caller's name where no key is needed.</summary>
    public const string Anybody = "anybody";

    private const string Realm = "Bearer realm=\"parallax\"";

    /// <summary>Admits a request, and notes whose it is.</summary>
    /// <returns>Its key; null where none is needed.</returns>
    /// <exception cref="ApiException">It is not admitted: 401, 403, or 503 while no keys are known.</exception>
    public ApiKey? Admit(HttpContext http, KeyScope needed)
    {
        if (!options.NeedsKeys || needed == KeyScope.None)
        {
            return null;
        }

        if (!keys.IsLoaded)
        {
            throw ApiException.Unavailable($"The API keys are not read yet.{(keys.Problem is null ? "" : " The server's log says why.")}");
        }

        switch (KeyVerdict.Of(keys.Ring, PresentedKey.Of(http.Request.Headers), needed, clock.GetUtcNow()))
        {
            case KeyVerdict.Admitted { Key: var key }:
                http.Features.Set(key);
                return key;
            case KeyVerdict.OutOfScope { Key: var key }:
                http.Response.Headers.WWWAuthenticate = $"{Realm}, error=\"insufficient_scope\", scope=\"{needed.ToText()}\"";
                throw ApiException.Forbidden(
                    $"The API key {key.Id} is good for {key.Settings.Scopes.ToText()}; this takes one for {needed.ToText()}.", "insufficient_scope");
            case KeyVerdict.Unknown { Message: var message, IsMissing: var isMissing }:
                http.Response.Headers.WWWAuthenticate = isMissing ? Realm : $"{Realm}, error=\"invalid_token\"";
                throw ApiException.Unauthorized(message);
            default:
                throw new InvalidOperationException("no such verdict");
        }
    }

    /// <summary>
    /// A delegate for endpoints of other assemblies that ask who calls: the caller's name, which is its key's id. It throws what
    /// <see cref="Admit"/> throws, and the router's error page tells the client.
    /// </summary>
    public Func<HttpContext, ValueTask<string?>> Authorise(KeyScope needed) => http => ValueTask.FromResult<string?>(Admit(http, needed)?.Id ?? Anybody);

    /// <summary>The key of a request that was admitted; null where none was needed.</summary>
    public static ApiKey? KeyOf(HttpContext http) => http.Features.Get<ApiKey>();
}
