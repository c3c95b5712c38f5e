using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Parallax.Router.Api;
using Parallax.Router.RequestLog;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Generation;

/// <summary>
/// Reads one choice's tokens from its session and turns them into what the client sees: decodes, applies stop
/// strings, and logs every token before it is handed on (session protocol, rule 8).
/// </summary>
internal sealed class AnswerReader(
    RemoteSession session,
    ITextDecoder decoder,
    FrozenSet<int> hiddenIds,
    IRequestLog log,
    TimeProvider clock,
    string request,
    int choice)
{
    /// <summary>Tokens of the answer that count: all that were adopted, up to and including the one that stopped it.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Prompt tokens that came from the worker's cache.</summary>
    public int CachedTokens => session.CachedTokens;

    /// <summary>
    /// The answer in batches: all that had arrived when the caller asked for more. The last delta of the last batch
    /// carries the finish reason. Asking for the next batch acknowledges the one before.
    /// </summary>
    /// <exception cref="ApiException">The session failed.</exception>
    /// <exception cref="RequestLogException">The log cannot be written.</exception>
    public async IAsyncEnumerable<IReadOnlyList<AnswerDelta>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var deltas = new List<AnswerDelta>();
        var ids = new List<int>();
        var pending = new List<SessionToken>(); // tokens whose text is still held back
        string? finish = null;
        while (finish is null && await session.Tokens.WaitToReadAsync(cancellationToken))
        {
            deltas.Clear();
            ids.Clear();
            while (finish is null && session.Tokens.TryRead(out var token))
            {
                ids.Add(token.Id);
                pending.Add(token);
                TokenCount = token.Index + 1;
                var stopped = false;
                var text = hiddenIds.Contains(token.Id) ? "" : decoder.Push(token.Id, out stopped);
                if (stopped)
                {
                    finish = "stop";
                }

                if (text.Length > 0 || stopped)
                {
                    deltas.Add(new AnswerDelta(text, [.. pending], token.Index, finish));
                    pending.Clear();
                }
            }

            await RequestRecords.TokensAsync(log, UnixMs(), request, choice, TokenCount - ids.Count, ids.ToArray())
                .AsTask()
                .WaitAsync(cancellationToken); // a disk that hangs must not hold a request beyond its time
            if (deltas.Count > 0)
            {
                yield return deltas;
            }

            session.Consumed(TokenCount);
        }

        if (finish is null)
        {
            finish = FinishOf(await session.Result.WaitAsync(cancellationToken));
            yield return [new AnswerDelta(decoder.Finish(), [.. pending], TokenCount - 1, finish)];
        }

        await RequestRecords.CompletedAsync(log, UnixMs(), request, choice, finish, TokenCount);
    }

    private static string FinishOf(SessionResult result) => result switch
    {
        SessionResult.Finished { Reason: FinishReason.Stop } => "stop",
        SessionResult.Finished { Reason: FinishReason.Length } => "length",
        _ => throw SessionErrors.ToApi(result),
    };

    private long UnixMs() => clock.GetUtcNow().ToUnixTimeMilliseconds();
}
