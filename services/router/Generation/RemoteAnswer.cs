using System.Threading.Channels;
using Parallax.Router.Sessions;

namespace Parallax.Router.Generation;

/// <summary>A session on workers as its answer's reader sees it.</summary>
internal sealed class RemoteAnswer(RemoteSession session) : IAnswerSession
{
    private static readonly Task Never = new TaskCompletionSource().Task;

    public ChannelReader<SessionToken> Tokens => session.Tokens;

    public Task<SessionResult> Result => session.Result;

    public int CachedTokens => session.CachedTokens;

    // A session that loses a worker ends today.
    public string? Waiting => null;

    public Task WaitingChanged => Never;

    public void Consumed(int tokens) => session.Consumed(tokens);
}
