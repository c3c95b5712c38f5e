using Parallax.Audit.Log;
using Parallax.Router.Api.Responses;
using Parallax.Router.Observability;
using Parallax.Router.Routing;

namespace Parallax.Router.Api;

/// <summary>What machines ask: is the process alive, can it serve, what has it counted.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", static (HttpContext http) => WriteAsync(http, null));
        routes.MapGet("/health/ready", static (HttpContext http) => WriteAsync(http, WhyNotReady(http.RequestServices)));
        routes.MapGet("/metrics", static (HttpContext http) =>
        {
            var workers = http.RequestServices.GetRequiredService<WorkerDirectory>();
            http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return http.Response.WriteAsync(http.RequestServices
                .GetRequiredService<RouterInstruments>()
                .ToPrometheus(workers.Links.Count(static link => link.IsServing)));
        });
    }

    private static string? WhyNotReady(IServiceProvider services)
    {
        var model = services.GetRequiredService<RouterModel>().Id;
        var workers = services.GetRequiredService<WorkerDirectory>();
        return services.GetRequiredService<RouterStopping>().IsStopping ? "The server is stopping."
            : services.GetRequiredService<IAuditLog>().Fault is { } fault ? fault
            : workers.Offer(model) is null ? workers.Problem(model)
            : null;
    }

    private static Task WriteAsync(HttpContext http, string? problem)
    {
        http.Response.StatusCode = problem is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return http.Response.WriteAsJsonAsync(
            new HealthReport(problem is null ? "ok" : "unavailable", problem), RouterJsonContext.Api.HealthReport);
    }
}
