using Epoch = Parallax.Contracts.Identifiers.Epoch;

namespace Parallax.Router.Sessions;

/// <content>Two sessions of one id on this router: a client came back before the router knew that it had gone.</content>
internal sealed partial class RemoteSession
{
    /// <summary>The session was opened anew at a higher epoch: this one stops and tells the workers nothing more.</summary>
    public void SupersedeBy(RemoteSession later)
    {
        Epoch present;
        lock (later._gate)
        {
            present = later._core.Epoch;
        }

        OnStale(present);
    }
}
