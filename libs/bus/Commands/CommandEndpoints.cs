using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Parallax.Bus.Commands;

/// <summary>
/// Who may give commands: the issuer's name, which the command carries; null for nobody that may. The caller then gets 401, unless the
/// delegate has begun an answer of its own.
/// </summary>
public delegate ValueTask<string?> CommandAuthorisation(HttpContext context);

/// <summary>Operators' commands over HTTP.</summary>
public static class CommandEndpoints
{
    /// <summary>Bytes of a command's body at most.</summary>
    public const int MostBodyBytes = 1024 * 1024;

    private const int UsualPage = 50;
    private const int LongestPage = 200;

    /// <summary>Adds the client that <see cref="MapCommands"/> uses; the host has the bus.</summary>
    public static IServiceCollection AddCommandClient(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<CommandClient>();
    }

    /// <summary>
    /// Maps <c>POST /admin/commands</c> (202 with the id), <c>GET /admin/commands?limit=…</c> and <c>GET /admin/commands/{id}</c>.
    /// </summary>
    /// <param name="routes">The host's routes.</param>
    /// <param name="authorise">Who may.</param>
    public static IEndpointRouteBuilder MapCommands(this IEndpointRouteBuilder routes, CommandAuthorisation authorise)
    {
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(authorise);
        var commands = routes.ServiceProvider.GetRequiredService<CommandClient>();
        routes.MapPost("/admin/commands", context => AnswerAsync(context, authorise, issuer => SubmitAsync(context, commands, issuer)));
        routes.MapGet("/admin/commands", context => AnswerAsync(context, authorise, _ => ListAsync(context, commands)));
        routes.MapGet("/admin/commands/{id}", context => AnswerAsync(context, authorise, _ => GetAsync(context, commands)));
        return routes;
    }

    private static async Task AnswerAsync(HttpContext context, CommandAuthorisation authorise, Func<string, Task> answer)
    {
        if (await authorise(context) is not { } issuer)
        {
            if (!context.Response.HasStarted)
            {
                await RefuseAsync(context, StatusCodes.Status401Unauthorized, "unauthorized", "Commands take an administrator's key.");
            }

            return;
        }

        try
        {
            await answer(issuer);
        }
        catch (BusException problem)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "bus_unavailable", problem.Message);
        }
    }

    private static async Task SubmitAsync(HttpContext context, CommandClient commands, string issuer)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MostBodyBytes;
        }

        CommandBody? body;
        try
        {
            body = await JsonSerializer.DeserializeAsync(context.Request.Body, CommandJson.Default.CommandBody, context.RequestAborted);
        }
        catch (JsonException problem)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "invalid_command", $"The body is no command: {problem.Message}");
            return;
        }
        catch (BadHttpRequestException problem)
        {
            await RefuseAsync(context, problem.StatusCode, "invalid_command", problem.Message);
            return;
        }

        var wrong = "The body is null.";
        if (body is null || CommandReading.Read(body, out wrong) is not { } request)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "invalid_command", wrong!);
            return;
        }

        var id = body.Id ?? $"http-{Guid.NewGuid():n}";
        var time = body.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : CommandReading.UsualTime(body.Kind);
        await commands.SubmitAsync(id, body.Kind, request, issuer, time, context.RequestAborted);
        var status = $"/admin/commands/{id}";
        context.Response.Headers.Location = status;
        await WriteAsync(context, StatusCodes.Status202Accepted, new CommandTicket(id, status), CommandJson.Default.CommandTicket);
    }

    private static async Task ListAsync(HttpContext context, CommandClient commands)
    {
        var most = UsualPage;
        if (context.Request.Query["limit"] is [{ } text] && (!int.TryParse(text, out most) || most is < 1 or > LongestPage))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "invalid_limit", $"limit must be 1 to {LongestPage}.");
            return;
        }

        var found = await commands.ListAsync(most, context.RequestAborted);
        await WriteAsync(context, StatusCodes.Status200OK, new CommandPage(found), CommandJson.Default.CommandPage);
    }

    private static async Task GetAsync(HttpContext context, CommandClient commands)
    {
        var id = (string)context.GetRouteValue("id")!;
        var found = await commands.GetAsync(id, context.RequestAborted);
        if (found is null)
        {
            await RefuseAsync(
                context,
                StatusCodes.Status404NotFound,
                "command_unknown",
                "No scheduler knows this command. One that was sent a moment ago may still be on its way; one that is no command is in the error queue.");
            return;
        }

        await WriteAsync(context, StatusCodes.Status200OK, found, CommandJson.Default.CommandStatus);
    }

    private static Task RefuseAsync(HttpContext context, int status, string code, string message) =>
        WriteAsync(context, status, new CommandError(new CommandErrorText(message, code)), CommandJson.Default.CommandError);

    private static async Task WriteAsync<T>(HttpContext context, int status, T body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(context.Response.Body, body, type, context.RequestAborted);
    }
}
