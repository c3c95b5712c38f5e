using System.Threading.Channels;
using Parallax.Router.Sessions;

namespace Parallax.Router.Generation;

/// <summary>A session on workers as its answer's reader sees it.</summary>
internal sealed class RemoteAnswer(RemoteSession session) : IAnswerSession
{
    public ChannelReader<SessionToken> Tokens => session.Tokens;

    public Task<SessionResult> Result => session.Result;

    public int CachedTokens => session.CachedTokens;

    public string? Waiting => session.Waiting;

    public Task WaitingChanged => session.WaitingChanged;

    public void Consumed(int tokens) => session.Consumed(tokens);
}
