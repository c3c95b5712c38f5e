using System.Threading.Channels;
using Parallax.Router.Sessions;

namespace Parallax.Router.Generation;

/// <summary>A session as its answer's reader sees it. One reader.</summary>
internal interface IAnswerSession
{
    /// <summary>The answer's tokens in order; completed when the session ends.</summary>
    ChannelReader<SessionToken> Tokens { get; }

    /// <summary>How the session ended; never faulted. Tokens that came before may still wait in <see cref="Tokens"/>.</summary>
    Task<SessionResult> Result { get; }

    /// <summary>Leading prompt tokens that came from the workers' caches.</summary>
    int CachedTokens { get; }

    /// <summary>What it waits for, in words for the client, while no token can come; null otherwise.</summary>
    string? Waiting { get; }

    /// <summary>Completes at the next change of <see cref="Waiting"/>. To be taken before that is read.</summary>
    Task WaitingChanged { get; }

    /// <summary>The client has the first <paramref name="tokens"/> tokens of the answer.</summary>
    void Consumed(int tokens);
}
