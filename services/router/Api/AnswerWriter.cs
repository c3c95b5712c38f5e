using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Parallax.Router.Api.Ids;
using Parallax.Router.Api.Responses;
using Parallax.Router.Generation;
using Parallax.Router.Observability;
using Parallax.Router.Sessions;

namespace Parallax.Router.Api;

/// <summary>Writes answers to clients, as one document or as a stream of events.</summary>
internal sealed class AnswerWriter(ErrorTranslator errors, RouterInstruments instruments, TimeProvider clock)
{
    private const string JsonContentType = "application/json; charset=utf-8";

    private static RouterJsonContext Json => RouterJsonContext.Api;

    /// <summary>Collects all choices and writes one document.</summary>
    /// <returns>Tokens generated.</returns>
    public async Task<int> WriteAsync(IAnswerOutput output, Answer answer, CancellationTokenSource ending)
    {
        var choices = new ChatChoice[answer.Choices.Length];
        await AllAsync(answer, ending, async reader =>
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

            choices[reader.Choice] = answer.Format.Choice(reader.Choice, text.ToString(), tokens, reason);
        });
        instruments.OnTokens(answer.GeneratedTokens);
        await output.BeginAsync(JsonContentType);
        Write(output, answer.Format.Whole(choices, answer.Usage()), Json.ChatCompletion);
        await output.FlushAsync(output.Aborted);
        return answer.GeneratedTokens;
    }

    /// <summary>
    /// Writes the choices' events as they come, from where the client is. An error in mid-stream becomes the last event,
    /// without [DONE].
    /// </summary>
    /// <returns>Tokens generated.</returns>
    public async Task<int> StreamAsync(
        IAnswerOutput output, Answer answer, Func<Exception, Exception> explain, CancellationTokenSource ending)
    {
        var sent = new StreamProgress(answer.From, answer.IsUsageSent);
        await output.BeginAsync(ServerSentEvents.ContentType);
        using var turn = new SemaphoreSlim(1); // choices write one after the other
        var comments = new StreamComments(clock);
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
        var commenting = Task.CompletedTask;
        try
        {
            for (var choice = 0; choice < answer.From.Length; choice++)
            {
                if (sent.Advance(choice, ChoiceProgress.Opened))
                {
                    Event(answer.Format.Role(choice));
                }
            }

            await output.FlushAsync(ending.Token);
            commenting = CommentAsync(output, answer, comments, turn, quiet.Token);
            await AllAsync(answer, ending, async reader =>
            {
                await foreach (var batch in reader.ReadAsync(ending.Token))
                {
                    await turn.WaitAsync(ending.Token);
                    try
                    {
                        foreach (var delta in batch)
                        {
                            WriteDelta(reader.Choice, delta);
                        }

                        // Waits for a slow client; its session then runs ahead no further than rule 6 allows.
                        await output.FlushAsync(ending.Token);
                        comments.OnSent();
                    }
                    finally
                    {
                        turn.Release();
                    }
                }
            });
            await quiet.CancelAsync();
            await commenting;
            if (answer.Request.IncludeUsage && sent.AdvanceUsage())
            {
                Event(answer.Format.UsageOf(answer.Usage()));
            }

            ServerSentEvents.WriteDone(output.Body);
            await output.FlushAsync(output.Aborted);
        }
        catch (Exception e) when (!output.Aborted.IsCancellationRequested)
        {
            await quiet.CancelAsync();
            await commenting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // e is what the client is told
            var error = ErrorTranslator.Body(errors.ToApi(explain(e)));
            ServerSentEvents.Write(output.Body, null, error, Json.ErrorEnvelope);
            await output.FlushAsync(output.Aborted);
            throw new AnswerFailedException(e);
        }
        finally
        {
            await quiet.CancelAsync();
            await commenting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the client is gone
            instruments.OnTokens(answer.GeneratedTokens);
        }

        return answer.GeneratedTokens;

        void WriteDelta(int choice, AnswerDelta delta)
        {
            var isShown = delta.Text.Length > 0 || (answer.Request.TopLogProbs is not null && delta.Tokens.Length > 0);
            var part = delta.IsRest ? ChoicePart.Rest : ChoicePart.Text;
            if (sent.Advance(choice, new ChoiceProgress(delta.LastIndex, part)) && isShown)
            {
                Event(answer.Format.Text(choice, delta));
            }

            if (delta.FinishReason is { } reason && sent.Advance(choice, new ChoiceProgress(delta.LastIndex, ChoicePart.Finish)))
            {
                Event(answer.Format.Finish(choice, reason));
            }
        }

        void Event(ChatChunk chunk) =>
            ServerSentEvents.Write(output.Body, answer.Format.IdAfter(sent.Choices, sent.IsUsageSent), chunk, Json.ChatChunk);
    }

    private static void Write<T>(IAnswerOutput output, T value, JsonTypeInfo<T> type)
    {
        using var json = new Utf8JsonWriter(output.Body, new JsonWriterOptions { Encoder = type.Options.Encoder });
        JsonSerializer.Serialize(json, value, type);
    }

    /// <summary>Writes comments between events until cancelled.</summary>
    private async Task CommentAsync(
        IAnswerOutput output, Answer answer, StreamComments comments, SemaphoreSlim turn, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var changed = answer.Choices.Select(static reader => reader.WaitingChanged).ToArray(); // before Waiting is read
                TimeSpan pause;
                await turn.WaitAsync(cancellationToken);
                try
                {
                    if (comments.Take(answer.Choices.Select(static reader => reader.Waiting).FirstOrDefault(static waiting => waiting is not null)) is { } text)
                    {
                        await output.CommentAsync(text, cancellationToken);
                    }

                    pause = comments.UntilNext();
                }
                finally
                {
                    turn.Release();
                }

                using var wake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                await Task.WhenAny([Task.Delay(pause, clock, wake.Token), .. changed]);
                await wake.CancelAsync(); // ends the delay that was not needed
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The stream is complete, or its client gone.
        }
    }

    /// <summary>Runs the choices side by side; the first that fails ends the others and is what is thrown.</summary>
    private static async Task AllAsync(Answer answer, CancellationTokenSource ending, Func<AnswerReader, Task> run)
    {
        var running = answer.Choices.Select(run).ToList();
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
