using System.Threading.Tasks.Sources;
using Parallax.Transport.Buffers;

namespace Parallax.Transport.Links;

/// <summary>
/// The frames that wait for one connection's writer, in three priorities, each bounded in bytes and frames. Many
/// senders, one writer. Sending and taking allocate nothing once the queue has grown to its working size.
/// </summary>
/// <remarks>
/// Order: the highest priority that has a frame, with one exception so that nothing starves: after
/// <see cref="ControlBurst"/> control frames in a row while something else waits, one of the others goes; after
/// <see cref="DecodeBurst"/> decode frames in a row while prefill waits, one prefill frame goes. So a control frame
/// waits for the control frames before it and 1 / <see cref="ControlBurst"/> as many others, rounded up; a decode frame
/// for those before it, the control frames, and 1 / <see cref="DecodeBurst"/> as many prefill frames, rounded up.
/// </remarks>
internal sealed class SendQueue : IValueTaskSource
{
    public const int ControlBurst = 64;
    public const int DecodeBurst = 16;
    private const int Priorities = 3;

    private readonly Lock _lock = new(); // guards all below
    private readonly Lane[] _lanes;
    private readonly bool[] _refused = new bool[Priorities];

    // The writer goes on in the thread that queued the frame, as far as the stack takes bytes without waiting: handing a
    // decode row to another thread first costs more than writing it.
    private ManualResetValueTaskSourceCore<bool> _wake = new() { RunContinuationsAsynchronously = false };
    private TaskCompletionSource[] _room = new TaskCompletionSource[Priorities];
    private bool _writerWaits;
    private bool _closed;
    private int _controlInRow;
    private int _decodeInRow;

    public SendQueue(LinkOptions options)
    {
        _lanes =
        [
            new Lane(options.ControlQueueBytes, options.QueueFrames),
            new Lane(options.DecodeQueueBytes, options.QueueFrames),
            new Lane(options.PrefillQueueBytes, options.QueueFrames),
        ];
    }

    public int Frames
    {
        get
        {
            lock (_lock)
            {
                return _lanes[0].Count + _lanes[1].Count + _lanes[2].Count;
            }
        }
    }

    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _lanes[0].Bytes + _lanes[1].Bytes + _lanes[2].Bytes;
            }
        }
    }

    public (int Frames, long Bytes) Depth(FramePriority priority)
    {
        lock (_lock)
        {
            return (_lanes[(int)priority].Count, _lanes[(int)priority].Bytes);
        }
    }

    /// <summary>Queues a frame and takes its ownership, or leaves it with the caller.</summary>
    public SendResult TryEnqueue(TensorBuffer frame, FramePriority priority)
    {
        bool wake;
        lock (_lock)
        {
            if (_closed)
            {
                return SendResult.NotConnected;
            }

            if (!_lanes[(int)priority].TryAdd(frame))
            {
                _refused[(int)priority] = true;
                return SendResult.Full;
            }

            wake = _writerWaits;
            _writerWaits = false;
        }

        if (wake)
        {
            _wake.SetResult(true);
        }

        return SendResult.Queued;
    }

    /// <summary>The next frame to send; the caller owns it.</summary>
    public bool TryDequeue(out TensorBuffer frame)
    {
        TaskCompletionSource? room = null;
        lock (_lock)
        {
            var lane = Next();
            if (lane < 0)
            {
                frame = null!;
                return false;
            }

            frame = _lanes[lane].Take();
            if (_refused[lane] && _lanes[lane].IsHalfEmpty)
            {
                // Room is announced at half, so that a full queue does not wake its senders for every frame.
                _refused[lane] = false;
                room = _room[lane];
                _room[lane] = null!;
            }
        }

        room?.TrySetResult();
        return true;
    }

    /// <summary>Completes when there may be a frame or the queue is closed. One waiter, the writer.</summary>
    public ValueTask WaitForFrameAsync()
    {
        lock (_lock)
        {
            if (_closed || _lanes[0].Count + _lanes[1].Count + _lanes[2].Count > 0)
            {
                return ValueTask.CompletedTask;
            }

            _wake.Reset();
            _writerWaits = true;
            return new ValueTask(this, _wake.Version);
        }
    }

    /// <summary>Completes when a frame may be offered again at this priority, or the queue is closed.</summary>
    public Task WaitForRoomAsync(FramePriority priority, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_closed || !_refused[(int)priority])
            {
                return Task.CompletedTask;
            }

            ref var room = ref _room[(int)priority];
            room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return room.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Refuses what comes from now on. What is queued stays for the writer.</summary>
    public void Close()
    {
        bool wake;
        var room = new TaskCompletionSource[Priorities];
        lock (_lock)
        {
            _closed = true;
            wake = _writerWaits;
            _writerWaits = false;
            (room, _room) = (_room, room);
        }

        if (wake)
        {
            _wake.SetResult(true);
        }

        foreach (var waiter in room)
        {
            waiter?.TrySetResult();
        }
    }

    /// <summary>Closes and drops what is queued: frames of a connection die with it.</summary>
    public void Clear()
    {
        Close();
        while (TryDequeue(out var frame))
        {
            frame.Dispose();
        }
    }

    public bool IsClosed
    {
        get
        {
            lock (_lock)
            {
                return _closed;
            }
        }
    }

    void IValueTaskSource.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    private int Next()
    {
        var (control, decode, prefill) = (_lanes[0].Count > 0, _lanes[1].Count > 0, _lanes[2].Count > 0);
        if (control && !(_controlInRow >= ControlBurst && (decode || prefill)))
        {
            _controlInRow++;
            return 0;
        }

        _controlInRow = 0;
        if (decode && !(_decodeInRow >= DecodeBurst && prefill))
        {
            _decodeInRow++;
            return 1;
        }

        _decodeInRow = 0;
        return prefill ? 2 : -1;
    }

    /// <summary>A ring of frames that grows to its bound.</summary>
    private sealed class Lane(int maxBytes, int maxFrames)
    {
        private TensorBuffer?[] _frames = new TensorBuffer?[16];
        private int _head;

        public int Count { get; private set; }

        public long Bytes { get; private set; }

        public bool IsHalfEmpty => Bytes <= maxBytes / 2 && Count <= maxFrames / 2;

        public bool TryAdd(TensorBuffer frame)
        {
            if (Count >= maxFrames || Bytes + frame.Length > maxBytes)
            {
                return false;
            }

            if (Count == _frames.Length)
            {
                var larger = new TensorBuffer?[_frames.Length * 2];
                for (var i = 0; i < Count; i++)
                {
                    larger[i] = _frames[(_head + i) % _frames.Length];
                }

                (_frames, _head) = (larger, 0);
            }

            _frames[(_head + Count) % _frames.Length] = frame;
            Count++;
            Bytes += frame.Length;
            return true;
        }

        public TensorBuffer Take()
        {
            var frame = _frames[_head]!;
            _frames[_head] = null;
            _head = (_head + 1) % _frames.Length;
            Count--;
            Bytes -= frame.Length;
            return frame;
        }
    }
}
