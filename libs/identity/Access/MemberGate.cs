using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Parallax.Identity.Connections;
using Parallax.Identity.Membership;

namespace Parallax.Identity.Access;

/// <summary>
/// Stands before every call of a host: on the swarm's ports lets through what <see cref="AccessTable"/> allows the caller and
/// nothing else; on other ports of the same host (an HTTP API) lets no gRPC call through, because those are the swarm's.
/// </summary>
internal sealed partial class MemberGate(RequestDelegate next, AccessTable table, AttemptLimiter logged, TimeProvider clock, ILogger<MemberGate> logger)
{
    private const int MaxLoggedPath = 128;
    private const int GrpcPermissionDenied = 7;
    private const int GrpcUnauthenticated = 16;

    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var rule = table.Find(path);
        if (context.Features.Get<AcceptedConnection>() is not { } connection)
        {
            return !table.Names(path) && context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true
                ? next(context)
                : Refuse(context, GrpcUnauthenticated, "this is not the swarm's port", "nobody");
        }

        var caller = connection.Caller(out var problem);
        return AccessPolicy.Decide(rule, caller) switch
        {
            AccessDecision.Allowed => next(context),
            AccessDecision.Unauthenticated => Refuse(context, GrpcUnauthenticated, $"only members of the swarm may call, and {problem}", "nobody"),
            _ when rule is { } known => Refuse(
                context, GrpcPermissionDenied, $"{path[1..]} is for {string.Join(" or ", known.AnyOf.Words())}; {caller!.Id} is {caller.Roles.ToText()}", caller.Id.ToString()),
            _ => Refuse(context, GrpcPermissionDenied, "there is no such call for members", caller!.Id.ToString()),
        };
    }

    /// <summary>Answers as gRPC does when a call fails before it begins; nothing of its body is read.</summary>
    private Task Refuse(HttpContext context, int status, string reason, string caller)
    {
        var address = context.Connection.RemoteIpAddress;
        if (logged.TryTake(address, clock.GetUtcNow()))
        {
            var path = context.Request.Path.ToUriComponent(); // encoded: a path may hold what a log should not
            LogRefused(path.Length <= MaxLoggedPath ? path : path[..MaxLoggedPath], address?.ToString() ?? "?", caller, reason);
        }

        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString($"Refused: {reason}.");
        return response.CompleteAsync();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused {Path} from {Address} ({Caller}): {Reason}")]
    private partial void LogRefused(string path, string address, string caller, string reason);
}
