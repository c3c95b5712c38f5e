using Parallax.Router.Access.Gate;
using Parallax.Router.Api.Responses;

namespace Parallax.Router.Api;

/// <summary>The OpenAI-compatible addresses.</summary>
internal static class OpenAiEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", static (HttpContext http) =>
        {
            var entry = Describe(http);
            return WriteAsync(http, new ModelList("list", [entry]), static json => json.ModelList);
        }).WithMetadata(EndpointAccess.Chat);
        routes.MapGet("/v1/models/{**id}", static (HttpContext http) =>
        {
            var entry = Describe(http);
            var id = (string?)http.Request.RouteValues["id"];
            return id == entry.Id ? WriteAsync(http, entry, static json => json.ModelEntry) : throw ApiException.UnknownModel(id ?? "");
        }).WithMetadata(EndpointAccess.Chat);
        routes.MapPost("/v1/chat/completions", static (HttpContext http) => http.RequestServices
            .GetRequiredService<ChatCompletions>()
            .HandleAsync(http)).WithMetadata(EndpointAccess.Chat);
    }

    private static ModelEntry Describe(HttpContext http)
    {
        var model = http.RequestServices.GetRequiredService<RouterModel>();
        var offer = http.RequestServices.GetRequiredService<Routing.WorkerDirectory>().Offer(model.Id);
        return new ModelEntry(model.Id, "model", model.Created.ToUnixTimeSeconds(), "parallax", offer?.ContextLimit);
    }

    private static Task WriteAsync<T>(
        HttpContext http, T value, Func<RouterJsonContext, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T>> type) =>
        http.Response.WriteAsJsonAsync(value, type(RouterJsonContext.Api), cancellationToken: http.RequestAborted);
}
