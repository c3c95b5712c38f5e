using Parallax.Router.Api.Responses;

namespace Parallax.Router.Api;

/// <summary>The one place where errors become HTTP responses.</summary>
internal sealed class ErrorResponses(RequestDelegate next, ErrorTranslator errors)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
            if (!http.Response.HasStarted && FromStatus(http) is { } error)
            {
                await WriteAsync(http, error);
            }
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            await WriteAsync(http, errors.ToApi(e));
        }
    }

    private static ApiException? FromStatus(HttpContext http) => http.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => ApiException.UnknownUrl(http.Request.Method, http.Request.Path),
        StatusCodes.Status405MethodNotAllowed => ApiException.WrongMethod(http.Request.Method, http.Request.Path),
        _ => null,
    };

    private static Task WriteAsync(HttpContext http, ApiException error)
    {
        http.Response.StatusCode = error.Status;
        if (error.RetryAfter is { } after)
        {
            http.Response.Headers.RetryAfter = ((long)Math.Ceiling(after.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        return http.Response.WriteAsJsonAsync(ErrorTranslator.Body(error), RouterJsonContext.Api.ErrorEnvelope);
    }
}
