using System.Buffers;
using System.Diagnostics;
using Parallax.Router.Api;

namespace Parallax.Router.Idempotency;

/// <summary>One client of a recorded answer. Its fields belong to the answer; disposing it leaves.</summary>
internal sealed class AnswerFollower(RecordedAnswer answer, bool isFirst, int commentsSeen) : IDisposable
{
    /// <summary>Says that an answer was generated for an earlier request of the same idempotency key.</summary>
    public const string ReplayedHeader = "Idempotent-Replayed";

    /// <summary>The piece that it needs next.</summary>
    public int NextPiece { get; set; }

    /// <summary>Comments that it has seen or does not care for.</summary>
    public int CommentsSeen { get; set; } = commentsSeen;

    /// <summary>Passes the answer on to a client, to its end.</summary>
    /// <exception cref="ApiException">There is none.</exception>
    public async Task CopyToAsync(HttpContext http)
    {
        var contentType = await answer.Begun.WaitAsync(http.RequestAborted);
        if (!isFirst)
        {
            http.Response.Headers[ReplayedHeader] = "true";
        }

        await HttpOutput.BeginAsync(http, contentType);
        var body = http.Response.BodyWriter;
        while (true)
        {
            switch (answer.Next(this))
            {
                case FollowStep.Piece { Bytes: var bytes }:
                    body.Write(bytes.Span);
                    await body.FlushAsync(http.RequestAborted);
                    break;
                case FollowStep.Comment { Text: var text }:
                    ServerSentEvents.WriteComment(body, text);
                    await body.FlushAsync(http.RequestAborted);
                    break;
                case FollowStep.Wait { Changed: var changed }:
                    await changed.WaitAsync(http.RequestAborted);
                    break;
                case FollowStep.End { IsBroken: var isBroken }:
                    if (isBroken)
                    {
                        http.Abort();
                    }

                    return;
                default:
                    throw new UnreachableException();
            }
        }
    }

    public void Dispose() => answer.Leave(this);
}
