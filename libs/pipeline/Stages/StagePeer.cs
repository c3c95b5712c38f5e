using Parallax.Transport.Buffers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// One neighbour as a stage's loop knows it: the connection that is up, and what is to be sent over it, gathered into
/// frames until the loop flushes. Owned by one loop.
/// </summary>
internal sealed class StagePeer : IDisposable
{
    private const int Priorities = 3;

    private readonly RowFrameBuilder[] _rows = new RowFrameBuilder[Priorities];
    private readonly TensorBuffer?[] _stalled = new TensorBuffer?[Priorities];
    private readonly FlowFrameBuilder _flow;
    private IStageWire? _wire;

    public StagePeer(string id, long incarnation, TensorBufferPool pool)
    {
        Id = id;
        Unknown = new UnknownSessions(incarnation);
        _flow = new FlowFrameBuilder(pool);
        for (var i = 0; i < Priorities; i++)
        {
            _rows[i] = new RowFrameBuilder(pool);
        }
    }

    /// <summary>The neighbour's worker id.</summary>
    public string Id { get; }

    /// <summary>Number of the connection that is up; 0 for none.</summary>
    public long Generation { get; private set; }

    /// <summary>Prefill bytes on their way to the neighbour, as far as it has not acknowledged them.</summary>
    public long InFlightBytes { get; set; }

    /// <summary>Whether rows were held back because too many bytes are on their way.</summary>
    public bool IsThrottled { get; set; }

    /// <summary>Answers rows of sessions that this stage does not hold.</summary>
    public UnknownSessions Unknown { get; }

    /// <summary>A connection is up.</summary>
    public void Up(IStageWire wire, long generation)
    {
        Drop();
        (_wire, Generation) = (wire, generation);
    }

    /// <summary>A connection is gone; what was to go over it is dropped.</summary>
    /// <returns>False when it was an earlier one.</returns>
    public bool Down(long generation)
    {
        if (generation != Generation)
        {
            return false;
        }

        Drop();
        return true;
    }

    /// <summary>Whether rows can be taken at this priority.</summary>
    public bool HasRoom(FramePriority priority) => Generation != 0 && _stalled[(int)priority] is null;

    /// <summary>Takes as many rows as fit into the frame at hand; a full frame is sent.</summary>
    /// <returns>The rows taken; 0 when the frame was full, which has then been sent.</returns>
    public int Append(in RowRun run, ReadOnlySpan<int> tokenIds, int sampleFrom, ReadOnlySpan<byte> payload, FramePriority priority)
    {
        var builder = _rows[(int)priority];
        var taken = builder.Append(run, tokenIds, sampleFrom, payload);
        if (taken < run.Count)
        {
            Send(builder.Complete()!, priority);
        }

        return taken;
    }

    /// <summary>Takes a flow message; one of kind None says nothing.</summary>
    public void Say(in FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        if (message.Kind == FlowMessageKind.None || Generation == 0)
        {
            return;
        }

        if (message.Kind != FlowMessageKind.State)
        {
            want = default;
        }

        if (!_flow.Append(message, want))
        {
            Send(_flow.Complete()!, FramePriority.Control);
            _flow.Append(message, want);
        }
    }

    /// <summary>Counts a refusal of what came on a connection.</summary>
    public void Refuse(long generation, FrameRefusal reason) => _wire?.CountRefusal(generation, reason);

    /// <summary>Sends what has been gathered.</summary>
    public void Flush()
    {
        if (_flow.Messages > 0)
        {
            Send(_flow.Complete()!, FramePriority.Control);
        }

        for (var i = 0; i < Priorities; i++)
        {
            if (_rows[i].Runs > 0 && _stalled[i] is null)
            {
                Send(_rows[i].Complete()!, (FramePriority)i);
            }
        }
    }

    /// <summary>The link has room at a priority again.</summary>
    public void Retry(long generation)
    {
        if (generation != Generation)
        {
            return;
        }

        for (var i = 0; i < Priorities; i++)
        {
            if (_stalled[i] is { } frame)
            {
                _stalled[i] = null;
                Send(frame, (FramePriority)i);
            }
        }
    }

    public void Dispose() => Drop();

    private void Send(TensorBuffer frame, FramePriority priority)
    {
        switch (_wire?.TrySend(frame, priority, Generation))
        {
            case SendResult.Queued:
                break;
            case SendResult.Full:
                _stalled[(int)priority] = frame;
                _wire.AwaitRoom(priority, Generation);
                break;
            default:
                // The connection is gone; that it is comes as a call of its own, and sessions resume by position.
                frame.Dispose();
                break;
        }
    }

    private void Drop()
    {
        _wire = null;
        Generation = 0;
        InFlightBytes = 0;
        IsThrottled = false;
        _flow.Dispose();
        for (var i = 0; i < Priorities; i++)
        {
            _rows[i].Dispose();
            _stalled[i]?.Dispose();
            _stalled[i] = null;
        }
    }
}
