using Parallax.Audit.Http;
using Parallax.Audit.Index;
using Parallax.Audit.Log;
using Parallax.Bus.Commands;
using Parallax.Router.Access.Gate;
using Parallax.Router.Access.Keys;
using Parallax.Router.Observability;
using Parallax.Router.Routing;

namespace Parallax.Router.Access;

/// <summary>What those ask who run the router.</summary>
internal static class AdminEndpoints
{
    /// <summary>
    /// Maps <c>/metrics</c>, and what other assemblies bring: each into the group whose access it needs, with the group's delegate
    /// to learn who calls (<see cref="KeyGate.Authorise"/>).
    /// </summary>
    /// <param name="routes">The router's.</param>
    /// <param name="keys">Admits callers.</param>
    public static void MapAdmin(this IEndpointRouteBuilder routes, KeyGate keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        routes.MapGet("/metrics", WriteMetrics).WithMetadata(EndpointAccess.Metrics);
        if (routes.ServiceProvider.GetService<AuditReader>() is { } reader)
        {
            routes.MapGroup(EndpointAccess.Audit).MapAudit(reader, static _ => ValueTask.FromResult<AuditRefusal?>(null)); // the gate stands before the group
        }

        if (routes.ServiceProvider.GetService<CommandClient>() is not null)
        {
            var issuer = keys.Authorise(KeyScope.Admin);
            routes.MapGroup(EndpointAccess.Admin).MapCommands(http => issuer(http));
        }
    }

    /// <summary>A group of endpoints that all have one access.</summary>
    public static RouteGroupBuilder MapGroup(this IEndpointRouteBuilder routes, EndpointAccess access) => routes.MapGroup("").WithMetadata(access);

    private static Task WriteMetrics(HttpContext http)
    {
        var workers = http.RequestServices.GetRequiredService<WorkerDirectory>();
        http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return http.Response.WriteAsync(http.RequestServices
            .GetRequiredService<RouterInstruments>()
            .ToPrometheus(
                workers.Links.Count(static link => link.IsServing),
                (http.RequestServices.GetRequiredService<IAuditLog>() as AuditLog)?.TotalBytes ?? 0,
                http.RequestServices.GetService<PrefixFeed>()?.Counts ?? default));
    }
}
