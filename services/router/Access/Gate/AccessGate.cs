using Parallax.Router.Api;

namespace Parallax.Router.Access.Gate;

/// <summary>Stands before every endpoint: lets through what is served at the connection's address to whoever may have it.</summary>
internal sealed class AccessGate(RequestDelegate next, RouterOptions options, KeyGate keys)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint() is RouteEndpoint endpoint) // else there is none, or only the answer that the method is wrong
        {
            var access = endpoint.Metadata.GetMetadata<EndpointAccess>() ?? EndpointAccess.Admin;
            if (!IsServed(access.Surface, http.Features.Get<AdminConnection>() is not null, options))
            {
                throw ApiException.UnknownUrl(http.Request.Method, http.Request.Path);
            }

            keys.Admit(http, access.Scope);
        }

        return next(http);
    }

    /// <summary>Whether something is served to a connection. Pure.</summary>
    internal static bool IsServed(Surface surface, bool isAdmin, RouterOptions options) => surface switch
    {
        Surface.Api => !isAdmin,
        Surface.Admin => isAdmin || (options.Access.AdminListen is null && options.IsLoopback),
        _ => true,
    };
}
