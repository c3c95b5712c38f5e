using System.Buffers;
using Microsoft.AspNetCore.Http.Features;

namespace Parallax.Router.Api;

/// <summary>An answer's way to one client.</summary>
internal sealed class HttpOutput(HttpContext http) : IAnswerOutput
{
    public CancellationToken Aborted => http.RequestAborted;

    public IBufferWriter<byte> Body => http.Response.BodyWriter;

    public Task BeginAsync(string contentType) => BeginAsync(http, contentType);

    public async ValueTask FlushAsync(CancellationToken cancellationToken) => await http.Response.BodyWriter.FlushAsync(cancellationToken);

    public ValueTask CommentAsync(string text, CancellationToken cancellationToken)
    {
        ServerSentEvents.WriteComment(Body, text);
        return FlushAsync(cancellationToken);
    }

    /// <summary>Sends the headers of an answer.</summary>
    public static Task BeginAsync(HttpContext http, string contentType)
    {
        var response = http.Response;
        response.ContentType = contentType;
        if (contentType == ServerSentEvents.ContentType)
        {
            response.Headers.CacheControl = "no-cache";
            response.Headers["X-Accel-Buffering"] = "no"; // proxies that buffer would hold tokens back
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        }

        return response.StartAsync(http.RequestAborted);
    }
}
