using Parallax.Pipeline.Stages;
using Parallax.Runtime.Execution;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.Pipeline.Links;

/// <summary>A link as one engine's loop uses it.</summary>
internal sealed class LinkWire(Link link, StageEngine engine) : IStageWire
{
    public string PeerId => link.PeerId;

    public SendResult TrySend(TensorBuffer frame, FramePriority priority, long generation) => link.TrySend(frame, priority, generation);

    public void AwaitRoom(FramePriority priority, long generation)
    {
        _ = AwaitAsync();

        async Task AwaitAsync()
        {
            // Ends when the connection does, without a fault: a link that is down has nothing to wait for.
            await link.WaitToSendAsync(priority, generation, CancellationToken.None);
            engine.Post(new Command(CommandKind.LinkRoom, Number: generation, Link: this));
        }
    }

    public void CountRefusal(long generation, FrameRefusal reason) => link.CountRefusal(generation, reason);
}
