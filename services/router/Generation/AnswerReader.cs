using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Parallax.Audit.Events;
using Parallax.Audit.Log;
using Parallax.Router.Api;
using Parallax.Router.Api.Ids;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Generation;

/// <summary>
/// Reads one choice's tokens from its session and turns them into what the client sees: decodes, applies stop
/// strings, and logs every token before it is handed on (session protocol, rule 8). Tokens whose text the client has
/// from before go through the decoder like all others, so that what follows is cut as it would have been.
/// </summary>
/// <param name="known">The answer's first tokens.</param>
/// <param name="session">Generates the others; null when all are known.</param>
/// <param name="decoder">Makes text of them; fresh.</param>
/// <param name="hiddenIds">Tokens without text.</param>
/// <param name="audit">Where tokens are written before they are shown.</param>
/// <param name="choice">Which of its choices.</param>
/// <param name="from">How much of the choice the client has; not all of it.</param>
internal sealed class AnswerReader(
    KnownAnswer known,
    IAnswerSession? session,
    ITextDecoder decoder,
    FrozenSet<int> hiddenIds,
    IAuditSegment audit,
    int choice,
    ChoiceProgress from)
{
    private static readonly Task Never = new TaskCompletionSource().Task;

    /// <summary>Which of the request's choices it reads.</summary>
    public int Choice => choice;

    /// <summary>Tokens of the answer that count: all that were adopted, up to and including the one that stopped it.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Prompt tokens that came from the worker's cache.</summary>
    public int CachedTokens => session?.CachedTokens ?? 0;

    /// <inheritdoc cref="IAnswerSession.Waiting"/>
    public string? Waiting => session?.Waiting;

    /// <inheritdoc cref="IAnswerSession.WaitingChanged"/>
    public Task WaitingChanged => session?.WaitingChanged ?? Never;

    /// <summary>
    /// The answer in batches, without deltas that the client has: all that had arrived when the caller asked for more. The
    /// last delta of the last batch carries the finish reason; its text the client may have. Asking for the next batch
    /// acknowledges the one before.
    /// </summary>
    /// <exception cref="ApiException">The session failed, or the client claims to have more than the answer.</exception>
    /// <exception cref="AuditLogException">The log cannot be written.</exception>
    public async IAsyncEnumerable<IReadOnlyList<AnswerDelta>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var deltas = new List<AnswerDelta>();
        var ids = new List<int>();
        var pending = new List<SessionToken>(); // tokens whose text is still held back
        string? finish = null;
        await foreach (var batch in BatchesAsync(cancellationToken))
        {
            deltas.Clear();
            ids.Clear();
            foreach (var token in batch)
            {
                pending.Add(token);
                TokenCount = token.Index + 1;
                if (token.Index > from.LastIndex)
                {
                    ids.Add(token.Id);
                }

                var stopped = false;
                var text = hiddenIds.Contains(token.Id) ? "" : decoder.Push(token.Id, out stopped);
                if (stopped)
                {
                    finish = "stop";
                    RequireReached();
                }

                if (text.Length > 0 || stopped)
                {
                    if (stopped || token.Index > from.LastIndex)
                    {
                        deltas.Add(new AnswerDelta(text, [.. pending], token.Index, finish));
                    }

                    pending.Clear();
                }

                if (stopped)
                {
                    break; // nothing that comes after it counts
                }
            }

            if (ids.Count > 0)
            {
                await audit.TokensAsync(choice, TokenCount - ids.Count, ids.ToArray())
                    .WaitAsync(cancellationToken); // a disk that hangs must not hold a request beyond its time
            }

            if (deltas.Count > 0)
            {
                yield return deltas;
            }

            session?.Consumed(TokenCount);
            if (finish is not null)
            {
                break;
            }
        }

        if (finish is null)
        {
            finish = known.Finish ?? FinishOf(await session!.Result.WaitAsync(cancellationToken));
            RequireReached();
            yield return [new AnswerDelta(decoder.Finish(), [.. pending], TokenCount - 1, finish, IsRest: true)];
        }

        await audit.AppendAsync(new ChoiceCompleted(choice, finish, TokenCount));
    }

    private async IAsyncEnumerable<IReadOnlyList<SessionToken>> BatchesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var batch = new List<SessionToken>(known.Ids.Select(static (id, index) => new SessionToken(index, id, float.NaN, [])));
        if (batch.Count > 0)
        {
            yield return batch;
        }

        while (session is not null && await session.Tokens.WaitToReadAsync(cancellationToken))
        {
            batch.Clear();
            while (session.Tokens.TryRead(out var token))
            {
                batch.Add(token);
            }

            yield return batch;
        }
    }

    private static string FinishOf(SessionResult result) => result switch
    {
        SessionResult.Finished { Reason: FinishReason.Stop } => "stop",
        SessionResult.Finished { Reason: FinishReason.Length } => "length",
        _ => throw SessionErrors.ToApi(result),
    };

    private void RequireReached()
    {
        if (from.LastIndex >= TokenCount)
        {
            throw ApiException.NotResumable(
                $"'{RequestHeaders.LastEventIdName}' names token {from.LastIndex} of choice {choice}; the answer has {TokenCount} tokens.");
        }
    }
}
