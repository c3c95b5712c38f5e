using System.Threading.Channels;
using Parallax.Router.Generation;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Router.Generation;

/// <summary>A session whose answer is known before.</summary>
internal sealed class ScriptedSession : IAnswerSession
{
    private readonly Channel<SessionToken> _tokens = Channel.CreateUnbounded<SessionToken>();
    private readonly TaskCompletionSource<SessionResult> _result = new();
    private TaskCompletionSource _waitingChanged = new();
    private int _count;

    public ChannelReader<SessionToken> Tokens => _tokens.Reader;

    public Task<SessionResult> Result => _result.Task;

    public int CachedTokens => 0;

    public int ConsumedTokens { get; private set; }

    public string? Waiting { get; private set; }

    public Task WaitingChanged => _waitingChanged.Task;

    /// <summary>An answer that is there at once.</summary>
    public static ScriptedSession Of(IEnumerable<int> ids, FinishReason reason, bool withLogProbs = false, int first = 0)
    {
        var session = new ScriptedSession { _count = first };
        foreach (var id in ids)
        {
            session.Emit(id, withLogProbs);
        }

        session.Finish(reason);
        return session;
    }

    public void Emit(int id, bool withLogProbs = false) => Assert.True(_tokens.Writer.TryWrite(withLogProbs
        ? new SessionToken(_count++, id, -0.25f * id, [new TokenLogProb(id, -0.25f * id)])
        : new SessionToken(_count++, id, float.NaN, [])));

    public void Finish(FinishReason reason)
    {
        _result.SetResult(new SessionResult.Finished(reason, 1, 0, _count, ""));
        _tokens.Writer.Complete();
    }

    public void Wait(string? forWhat)
    {
        Waiting = forWhat;
        var changed = _waitingChanged;
        _waitingChanged = new TaskCompletionSource();
        changed.SetResult();
    }

    public void Consumed(int tokens) => ConsumedTokens = tokens;
}
