using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Parallax.Hosting.Status;

/// <summary>The answer of <c>/health/live</c> and <c>/health/ready</c>, the same at all services.</summary>
/// <param name="Status"><c>ok</c> or <c>unavailable</c>.</param>
/// <param name="Reason">Why, or what somebody should look after; left out when there is none.</param>
public sealed record HealthReport(string Status, string? Reason)
{
    /// <summary>Answers with 200, or with 503 where there is a problem.</summary>
    /// <param name="http">The call.</param>
    /// <param name="problem">Why the service cannot do its work; null when it can.</param>
    /// <param name="note">What somebody should look after while it does.</param>
    public static Task WriteAsync(HttpContext http, string? problem, string? note = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        http.Response.StatusCode = problem is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return http.Response.WriteAsJsonAsync(new HealthReport(problem is null ? "ok" : "unavailable", problem ?? note), HealthJson.AsItIs.HealthReport);
    }
}

[JsonSerializable(typeof(HealthReport))]
internal sealed partial class HealthJson : JsonSerializerContext
{
    /// <summary>Text of all scripts as it is: the answer is JSON, not HTML.</summary>
    public static HealthJson AsItIs { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
