using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.Pipeline.Stages;

/// <summary>The link to one neighbour as a stage's loop uses it; see <see cref="Link"/>.</summary>
internal interface IStageWire
{
    /// <summary>The neighbour's worker id.</summary>
    string PeerId { get; }

    /// <summary>Offers a frame for one connection; the link owns it when the result is Queued. Never blocks.</summary>
    SendResult TrySend(TensorBuffer frame, FramePriority priority, long generation);

    /// <summary>
    /// After <see cref="SendResult.Full"/>: tells the loop (<c>LinkRoom</c>) when there is room at this priority again.
    /// </summary>
    void AwaitRoom(FramePriority priority, long generation);

    /// <summary>Counts something refused in what came on a connection.</summary>
    void CountRefusal(long generation, FrameRefusal reason);
}

/// <summary>The neighbours of a worker as a stage's loop knows them.</summary>
internal interface IStageNeighbours
{
    /// <summary>This worker's id.</summary>
    string WorkerId { get; }

    /// <summary>This worker's incarnation.</summary>
    long Incarnation { get; }

    /// <summary>Sees to it that there is a link to a neighbour; says why there can be none, or null.</summary>
    string? Connect(StageAddress neighbour);

    /// <summary>Frames about the session go to this loop from now on.</summary>
    void Claim(SessionId session);

    /// <summary>The session has ended here.</summary>
    void Release(SessionId session);

    /// <summary>The loop has something to look at again, though no call has come. From any thread.</summary>
    void Wake()
    {
    }

    /// <summary>Whether another shard of this worker holds the session.</summary>
    bool IsElsewhere(SessionId session);
}
