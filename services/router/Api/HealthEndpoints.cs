using Parallax.Audit.Log;
using Parallax.Hosting.Status;
using Parallax.Router.Access.Gate;
using Parallax.Router.Access.Keys;
using Parallax.Router.Routing;

namespace Parallax.Router.Api;

/// <summary>What machines ask: is the process alive, can it serve.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", static (HttpContext http) => HealthReport.WriteAsync(http, null)).WithMetadata(EndpointAccess.Health);
        routes.MapGet("/health/ready", static (HttpContext http) => HealthReport.WriteAsync(http, WhyNotReady(http.RequestServices), NoteOf(http.RequestServices)))
            .WithMetadata(EndpointAccess.Health);
    }

    private static string? WhyNotReady(IServiceProvider services)
    {
        var model = services.GetRequiredService<RouterModel>().Id;
        var workers = services.GetRequiredService<WorkerDirectory>();
        return services.GetRequiredService<RouterStopping>().IsStopping ? "The server is stopping."
            : services.GetRequiredService<IAuditLog>().Fault is { } fault ? fault
            : services.GetRequiredService<RouterOptions>().NeedsKeys && !services.GetRequiredService<KeyDirectory>().IsLoaded ? "The API keys are not read yet."
            : workers.Offer(model) is null ? workers.Problem(model)
            : null;
    }

    /// <summary>What somebody should look after while requests are served; the router's log says more.</summary>
    private static string? NoteOf(IServiceProvider services) => services.GetRequiredService<KeyDirectory>().Problem is null
        ? null
        : "The event store cannot be reached: API keys are served as they were known last.";
}
