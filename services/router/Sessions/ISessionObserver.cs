using Epoch = Parallax.Contracts.Identifiers.Epoch;

namespace Parallax.Router.Sessions;

/// <summary>Is told what becomes of a session's path, in order; must return at once, for it is called under the session's lock.</summary>
internal interface ISessionObserver
{
    /// <summary>The session was opened on a path.</summary>
    void OnOpened(RemoteSession session, WorkerPath path, Epoch epoch);

    /// <summary>A stage is lost.</summary>
    /// <param name="epoch">Of the path.</param>
    /// <param name="worker">The worker's id; empty where no single one is at fault.</param>
    /// <param name="tokens">Tokens of the answer that have come.</param>
    /// <param name="problem">What was noticed.</param>
    void OnLost(Epoch epoch, string worker, int tokens, string problem);

    /// <summary>The session goes on over another path.</summary>
    /// <param name="epoch">From now on.</param>
    /// <param name="path">The path.</param>
    /// <param name="kept">Stages that keep their state.</param>
    /// <param name="seek">From the noticed loss to now.</param>
    void OnRerouted(Epoch epoch, WorkerPath path, int kept, TimeSpan seek);
}
