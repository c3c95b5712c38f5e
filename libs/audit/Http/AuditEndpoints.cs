using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Parallax.Audit.Chain;
using Parallax.Audit.Export;
using Parallax.Audit.Index;
using Parallax.Audit.Verify;
using Parallax.Contracts.Identifiers;
using Parallax.EventStore;
using Parallax.Runtime;

namespace Parallax.Audit.Http;

/// <summary>The audit over HTTP, to read.</summary>
public static class AuditEndpoints
{
    private const int DefaultPage = 50;

    /// <summary>
    /// Maps <c>GET /audit/requests</c> (<c>since</c>, <c>until</c>, <c>model</c>, <c>client</c>, <c>key</c>, <c>status</c>, <c>worker</c>, <c>limit</c>,
    /// <c>after</c>), <c>/audit/requests/{id}</c>, <c>/audit/requests/{id}/events</c>, <c>/audit/events</c> (<c>after</c>, a position),
    /// <c>/audit/usage</c>, <c>/audit/failures</c> and <c>/audit/verify</c> (<c>swarm</c>). Events and verification are lines of JSON.
    /// </summary>
    /// <param name="routes">The host's.</param>
    /// <param name="reader">The store and its index, which the host keeps up (<see cref="AuditIndexService"/>).</param>
    /// <param name="authorize">
    /// Who may read: null for whoever is let in; else what the caller is told, with a status of 401 or 403.
    /// </param>
    /// <returns>For further conventions.</returns>
    public static RouteGroupBuilder MapAudit(
        this IEndpointRouteBuilder routes, AuditReader reader, Func<HttpContext, ValueTask<AuditRefusal?>> authorize)
    {
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(authorize);
        var verifying = new SemaphoreSlim(1); // reads everything: one at a time; lives as long as the routes
        var group = routes.MapGroup("/audit");
        Map("/requests", async http => await WriteAsync(http, await reader.Index.ListAsync(Filter(http), Text(http, "after"), Limit(http), http.RequestAborted), AuditApi.Json.RequestPage));
        Map("/requests/{id}", async http => await WriteAsync(http, await FindAsync(http, reader), AuditApi.Json.RequestRow));
        Map("/requests/{id}/events", async http =>
        {
            var row = await FindAsync(http, reader);
            await WriteLinesAsync(http, reader.ReadRequestAsync(row.Id, http.RequestAborted));
        });
        Map("/events", http => WriteLinesAsync(http, reader.Store.ReadAllAsync(Number(http, "after", 0, 0, long.MaxValue), http.RequestAborted)));
        Map("/usage", async http => await WriteAsync(http, new UsageAnswer(await reader.Index.UsageAsync(Filter(http), http.RequestAborted)), AuditApi.Json.UsageAnswer));
        Map("/failures", async http =>
        {
            var filter = Filter(http);
            await WriteAsync(http, new FailuresAnswer(await reader.Index.FailuresAsync(filter.Since, filter.Until, http.RequestAborted)), AuditApi.Json.FailuresAnswer);
        });
        Map("/verify", http => VerifyAsync(http, reader.Store, verifying));
        return group;

        void Map(string pattern, Func<HttpContext, Task> answer) => group.MapGet(pattern, (HttpContext http) => AnswerAsync(http, authorize, answer));
    }

    private static async Task AnswerAsync(HttpContext http, Func<HttpContext, ValueTask<AuditRefusal?>> authorize, Func<HttpContext, Task> answer)
    {
        if (await authorize(http) is { } refusal)
        {
            await WriteErrorAsync(http, refusal.Status, refusal.Message, null, refusal.Code);
            return;
        }

        try
        {
            await answer(http);
        }
        catch (AuditQueryException problem)
        {
            await WriteErrorAsync(http, problem.Status, problem.Message, problem.Parameter, problem.Code);
        }
        catch (ParallaxException problem) when (!http.Response.HasStarted)
        {
            await WriteErrorAsync(http, StatusCodes.Status503ServiceUnavailable, problem.Message, null, "audit_unavailable");
        }
        catch (ParallaxException)
        {
            http.Abort(); // the answer must not look whole
        }
    }

    private static async Task VerifyAsync(HttpContext http, IEventStore store, SemaphoreSlim verifying)
    {
        PeerId? swarm = null;
        if (Text(http, "swarm") is { } text)
        {
            swarm = PeerId.TryParse(text, out var id) ? id : throw AuditQueryException.Invalid("swarm", $"'{text}' is no id of 40 hexadecimal digits.");
        }

        if (!await verifying.WaitAsync(TimeSpan.Zero, http.RequestAborted))
        {
            throw new AuditQueryException(StatusCodes.Status429TooManyRequests, null, "audit_verifying", "A verification is under way, and one runs at a time: try again when it has ended.");
        }

        try
        {
            var clock = http.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System;
            http.Response.ContentType = "application/x-ndjson; charset=utf-8";
            await foreach (var line in VerificationLines.RunAsync(store, new VerifyOptions { Swarm = swarm }, clock, heads: null, http.RequestAborted))
            {
                await JsonSerializer.SerializeAsync(http.Response.Body, line, AuditApi.Json.VerifyLine, http.RequestAborted);
                await http.Response.WriteAsync("\n", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
        }
        finally
        {
            verifying.Release();
        }
    }

    private static async Task WriteLinesAsync(HttpContext http, IAsyncEnumerable<StoredEvent> events)
    {
        http.Response.ContentType = "application/x-ndjson; charset=utf-8";
        await foreach (var stored in events)
        {
            if (stored.Stream.StartsWith(AuditStreams.Prefix, StringComparison.Ordinal))
            {
                await http.Response.Body.WriteAsync(AuditLines.Write(stored), http.RequestAborted);
            }
        }
    }

    private static async Task<RequestRow> FindAsync(HttpContext http, AuditReader reader)
    {
        var id = (string)http.Request.RouteValues["id"]!;
        return await reader.Index.FindAsync(id, http.RequestAborted)
            ?? throw new AuditQueryException(StatusCodes.Status404NotFound, "id", "request_not_found", $"The audit has no request '{id}'.");
    }

    private static Task WriteAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type) =>
        http.Response.WriteAsJsonAsync(value, type, cancellationToken: http.RequestAborted);

    private static Task WriteErrorAsync(HttpContext http, int status, string message, string? parameter, string? code)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = null;
        var type = status >= 500 ? "server_error" : status == StatusCodes.Status429TooManyRequests ? "rate_limit_error" : "invalid_request_error";
        return http.Response.WriteAsJsonAsync(new ErrorAnswer(new ErrorAnswerBody(message, type, parameter, code)), AuditApi.Json.ErrorAnswer, cancellationToken: http.RequestAborted);
    }

    private static RequestFilter Filter(HttpContext http) => new()
    {
        Since = Time(http, "since"),
        Until = Time(http, "until"),
        Model = Text(http, "model"),
        Client = Text(http, "client"),
        Key = Text(http, "key"),
        Status = Text(http, "status") is not { } text ? null
            : RequestStatuses.TryParse(text, out var status) ? status
            : throw AuditQueryException.Invalid("status", $"'{text}' is no status; there are {string.Join(", ", RequestStatuses.All)}."),
        Worker = Text(http, "worker"),
    };

    private static int Limit(HttpContext http) => (int)Number(http, "limit", DefaultPage, 1, AuditIndex.MaxPage);

    private static long Number(HttpContext http, string name, long usual, long least, long most) =>
        Text(http, name) is not { } text ? usual
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number
        : throw AuditQueryException.Invalid(name, string.Create(CultureInfo.InvariantCulture, $"'{text}' is no number from {least} to {most}."));

    private static DateTimeOffset? Time(HttpContext http, string name) =>
        Text(http, name) is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : throw AuditQueryException.Invalid(name, $"'{text}' is no time like 2030-01-31T12:00:00Z.");

    /// <summary>A parameter; an empty one is none.</summary>
    private static string? Text(HttpContext http, string name) => http.Request.Query[name].FirstOrDefault() is { Length: > 0 } text ? text : null;
}
