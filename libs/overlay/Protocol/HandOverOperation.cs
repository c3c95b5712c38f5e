using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>Gives one peer records that it should have.</summary>
internal sealed class HandOverOperation(OverlayCore core, PeerContact peer, RecordBatches batches) : OverlayOperation
{
    private int _next;

    public override void Answered(PeerContact from, OverlayAnswer answer, TimeSpan now) => SendNext(now);

    public override void Failed(PeerContact? from, TimeSpan now) => IsDone = true;

    /// <summary>Sends the next batch; called once by whoever starts it.</summary>
    public void Start(TimeSpan now) => SendNext(now);

    private void SendNext(TimeSpan now)
    {
        if (_next == batches.Count)
        {
            IsDone = true;
            return;
        }

        core.Call(this, peer, batches.At(_next++, now), now);
    }
}
