using System.Buffers;
using Parallax.Router.Access.Quotas;
using Parallax.Router.Api.Requests;
using Parallax.Router.Idempotency;

namespace Parallax.Router.Api;

/// <summary><c>POST /v1/chat/completions</c>: what HTTP brings, and who gets the answer.</summary>
internal sealed class ChatCompletions(RouterModel model, ChatGeneration generation, IdempotentAnswers idempotent, ChatAccess access)
{
    public async Task HandleAsync(HttpContext http)
    {
        var allowance = access.Begin(http);
        var headers = RequestHeaders.Read(http.Request.Headers);
        var body = await ReadBodyAsync(http);
        var request = ChatRequestParser.Parse(body);
        if (request.Model != model.Id)
        {
            throw ApiException.UnknownModel(request.Model);
        }

        var call = ChatCall.Create(request, headers, body.Span, allowance?.KeyId ?? ClientOf(http, request)) with { Allowance = allowance };
        http.Response.Headers[RequestHeaders.RequestId] = call.Id.ToString();
        if (headers.IdempotencyKey is { } key && call.Resumed is null)
        {
            using var follower = idempotent.Enter(call.Claim.Scope(key), call.Claim.Body, output => generation.RunAsync(call, output));
            await follower.CopyToAsync(http);
        }
        else
        {
            await generation.RunAsync(call, new HttpOutput(http));
        }
    }

    private static string ClientOf(HttpContext http, ChatRequest request) => $"{http.Connection.RemoteIpAddress}/{request.User}";

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext http)
    {
        if (http.Request.ContentType is { Length: > 0 } type && !http.Request.HasJsonContentType())
        {
            throw ApiException.NotJson(type);
        }

        var body = new ArrayBufferWriter<byte>((int)Math.Clamp(http.Request.ContentLength ?? 0, 1024, 64 * 1024));
        while (true)
        {
            var read = await http.Request.BodyReader.ReadAsync(http.RequestAborted);
            foreach (var part in read.Buffer)
            {
                body.Write(part.Span);
            }

            http.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return body.WrittenMemory;
            }
        }
    }
}
