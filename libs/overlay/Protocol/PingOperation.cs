using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>One ping. That it was answered or not is all there is to it: the table has been told already.</summary>
internal sealed class PingOperation(Action<PeerId?, TimeSpan> ended) : OverlayOperation
{
    public override void Answered(PeerContact from, OverlayAnswer answer, TimeSpan now)
    {
        IsDone = true;
        ended(from.Id, now);
    }

    public override void Failed(PeerContact? from, TimeSpan now)
    {
        IsDone = true;
        ended(null, now);
    }
}
