using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Parallax.Router.Api.Responses;
using Parallax.Router.Generation;
using Parallax.Router.Observability;
using Parallax.Router.Sessions;

namespace Parallax.Router.Api;

/// <summary>Writes answers to clients, as one document or as a stream of events.</summary>
internal sealed class AnswerWriter(ErrorTranslator errors, RouterInstruments instruments)
{
    private static RouterJsonContext Json => RouterJsonContext.Api;

    /// <summary>Collects all choices and writes one document.</summary>
    /// <returns>Tokens generated.</returns>
    public async Task<int> WriteAsync(HttpContext http, Answer answer, CancellationTokenSource ending)
    {
        var choices = new ChatChoice[answer.Choices.Length];
        await AllAsync(answer, ending, async (choice, reader) =>
        {
            var text = new StringBuilder();
            var tokens = new List<SessionToken>();
            var reason = "";
            await foreach (var batch in reader.ReadAsync(ending.Token))
            {
                foreach (var delta in batch)
                {
                    text.Append(delta.Text);
                    reason = delta.FinishReason ?? reason;
                    if (answer.Request.TopLogProbs is not null)
                    {
                        tokens.AddRange(delta.Tokens);
                    }
                }
            }

            choices[choice] = answer.Format.Choice(choice, text.ToString(), tokens, reason);
        });
        instruments.OnTokens(answer.TokenCount);
        await http.Response.WriteAsJsonAsync(answer.Format.Whole(choices, answer.Usage()), Json.ChatCompletion, cancellationToken: http.RequestAborted);
        return answer.TokenCount;
    }

    /// <summary>
    /// Writes the choices' events as they come. An error in mid-stream becomes the last event, without [DONE].
    /// </summary>
    /// <returns>Tokens generated.</returns>
    public async Task<int> StreamAsync(
        HttpContext http, Answer answer, Func<Exception, Exception> explain, CancellationTokenSource ending)
    {
        var response = http.Response;
        response.ContentType = ServerSentEvents.ContentType;
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no"; // proxies that buffer would hold tokens back
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();

        var last = new int[answer.Choices.Length];
        Array.Fill(last, -1);
        for (var choice = 0; choice < last.Length; choice++)
        {
            Event(answer.Format.Role(choice));
        }

        await response.BodyWriter.FlushAsync(ending.Token);
        using var turn = new SemaphoreSlim(1); // choices write one after the other
        try
        {
            await AllAsync(answer, ending, async (choice, reader) =>
            {
                await foreach (var batch in reader.ReadAsync(ending.Token))
                {
                    await turn.WaitAsync(ending.Token);
                    try
                    {
                        foreach (var delta in batch)
                        {
                            Write(choice, delta);
                        }

                        // Waits for a slow client; its session then runs ahead no further than rule 6 allows.
                        await response.BodyWriter.FlushAsync(ending.Token);
                    }
                    finally
                    {
                        turn.Release();
                    }
                }
            });
            if (answer.Request.IncludeUsage)
            {
                Event(answer.Format.UsageOf(answer.Usage()));
            }

            ServerSentEvents.WriteDone(response.BodyWriter);
            await response.BodyWriter.FlushAsync(http.RequestAborted);
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            var error = ErrorTranslator.Body(errors.ToApi(explain(e)));
            ServerSentEvents.Write(response.BodyWriter, null, error, Json.ErrorEnvelope);
            await response.BodyWriter.FlushAsync(http.RequestAborted);
            throw new AnswerFailedException(e);
        }
        finally
        {
            instruments.OnTokens(answer.TokenCount);
        }

        return answer.TokenCount;

        void Write(int choice, AnswerDelta delta)
        {
            last[choice] = delta.LastIndex;
            if (delta.Text.Length > 0 || (answer.Request.TopLogProbs is not null && delta.Tokens.Length > 0))
            {
                Event(answer.Format.Text(choice, delta));
            }

            if (delta.FinishReason is { } reason)
            {
                Event(answer.Format.Finish(choice, reason));
            }
        }

        void Event(ChatChunk chunk) => ServerSentEvents.Write(response.BodyWriter, answer.Format.EventId(last), chunk, Json.ChatChunk);
    }

    /// <summary>Runs the choices side by side; the first that fails ends the others and is what is thrown.</summary>
    private static async Task AllAsync(Answer answer, CancellationTokenSource ending, Func<int, AnswerReader, Task> run)
    {
        var running = answer.Choices.Select((reader, choice) => run(choice, reader)).ToList();
        var open = new List<Task>(running);
        while (open.Count > 0)
        {
            var done = await Task.WhenAny(open);
            open.Remove(done);
            if (!done.IsCompletedSuccessfully)
            {
                await ending.CancelAsync();
                await Task.WhenAll(open).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await done;
            }
        }
    }
}
