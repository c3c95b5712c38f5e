using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Liveness;

namespace Parallax.Transport.Links;

/// <summary>
/// The connection to one neighbour over all its re-establishments: all sessions share it, in both directions.
/// Thread-safe. Each connection has a number (generation) above the last one's; what was queued on a connection dies
/// with it, and the sessions resume by position (State on connect).
/// </summary>
public sealed class Link
{
    private readonly LinkHub _hub;
    private readonly Lock _lock = new(); // guards _abuse, _refusals, _roundTrips, _monitor, _mayBeUnreachable and the writing of _current
    private readonly AbuseGuard _abuse;
    private readonly long[] _refusals = new long[FrameRefusals.Count];
    private readonly RoundTripWindow _roundTrips = new();
    private LivenessMonitor? _monitor;
    private LinkConnection? _current;
    private bool _mayBeUnreachable; // it has been up since it was last reported
    private long _generation;
    private long _peerIncarnation;
    private long _peerProgress;
    private long _activity;

    internal Link(LinkHub hub, string peerId)
    {
        (_hub, PeerId) = (hub, peerId);
        _abuse = new AbuseGuard(hub.Options.AbuseThreshold, hub.Options.AbuseWindow, hub.Options.AbusePenalty);
        Tag = new KeyValuePair<string, object?>("peer", peerId);
    }

    /// <summary>The neighbour's id.</summary>
    public string PeerId { get; }

    /// <summary>Number of the connection that is up, 0 when none is.</summary>
    public long Generation => Volatile.Read(ref _current)?.Generation ?? 0;

    /// <summary>The neighbour's incarnation, as it last said; 0 before the first Hello.</summary>
    public long PeerIncarnation => Interlocked.Read(ref _peerIncarnation);

    /// <summary>The count of finished steps that the neighbour's executor last gave in a heartbeat.</summary>
    public long PeerProgress => Interlocked.Read(ref _peerProgress);

    /// <summary>Round trips of the last heartbeats.</summary>
    public RoundTrip RoundTrip
    {
        get
        {
            lock (_lock)
            {
                return _roundTrips.Summarise();
            }
        }
    }

    /// <summary>What heartbeats and bytes say of the neighbour; Dead when there is no connection.</summary>
    public PeerLiveness Liveness
    {
        get
        {
            lock (_lock)
            {
                return Generation == 0 ? PeerLiveness.Dead : _monitor?.Liveness ?? PeerLiveness.Alive;
            }
        }
    }

    internal KeyValuePair<string, object?> Tag { get; }

    internal LinkConnection? Current => Volatile.Read(ref _current);

    internal bool IsRefused
    {
        get
        {
            lock (_lock)
            {
                return _abuse.IsRefused(_hub.Time.GetUtcNow());
            }
        }
    }

    internal DateTimeOffset RefusedUntil
    {
        get
        {
            lock (_lock)
            {
                return _abuse.RefusedUntil;
            }
        }
    }

    /// <summary>
    /// Offers a frame, unsealed as the builders complete it. Never blocks. When the result is
    /// <see cref="SendResult.Queued"/> the link owns the frame, else it stays the caller's.
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="priority">Its place in the order of sending.</param>
    /// <param name="generation">The connection for which it was built; on another it is worthless.</param>
    /// <remarks>
    /// A control queue that is full means that the peer has not read for megabytes; a lost State would hang its session,
    /// so the connection starts anew instead and the result is NotConnected.
    /// </remarks>
    public SendResult TrySend(TensorBuffer frame, FramePriority priority, long generation)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var connection = Volatile.Read(ref _current);
        if (connection is null || connection.Generation != generation)
        {
            return SendResult.NotConnected;
        }

        var result = connection.Queue.TryEnqueue(frame, priority);
        if (result == SendResult.Full)
        {
            _hub.Metrics.Stalled(Tag, priority);
            if (priority == FramePriority.Control)
            {
                connection.Stop(LinkDownReason.ControlOverflow);
                return SendResult.NotConnected;
            }
        }

        return result;
    }

    /// <summary>
    /// Waits, after <see cref="SendResult.Full"/>, until half of the priority's queue is free.
    /// </summary>
    /// <returns>False when that connection is gone.</returns>
    public async ValueTask<bool> WaitToSendAsync(FramePriority priority, long generation, CancellationToken cancellationToken)
    {
        var connection = Volatile.Read(ref _current);
        if (connection is null || connection.Generation != generation)
        {
            return false;
        }

        await connection.Queue.WaitForRoomAsync(priority, cancellationToken);
        return !connection.Queue.IsClosed;
    }

    /// <summary>Frames and bytes that wait at a priority.</summary>
    public (int Frames, long Bytes) QueueDepth(FramePriority priority) => Current?.Queue.Depth(priority) ?? default;

    /// <summary>
    /// Stops taking frames, sends what is queued, says goodbye and closes; bounded by
    /// <see cref="LinkOptions.DrainTimeout"/>. A link that dials does so again afterwards unless its hub is disposed.
    /// </summary>
    public async Task DrainAsync()
    {
        if (Current is { } connection)
        {
            connection.Drain(LinkDownReason.Closed);
            try
            {
                await connection.Completed.WaitAsync(_hub.Options.DrainTimeout + _hub.Options.DrainTimeout, _hub.Time);
            }
            catch (TimeoutException)
            {
                connection.Stop(LinkDownReason.Closed);
                await connection.Completed;
            }
        }
    }

    /// <summary>
    /// Counts something refused in what the peer sent on connection <paramref name="generation"/>. Rows lost beyond one
    /// run end the connection (it starts anew); too many refusals end it and keep the peer away for a while.
    /// </summary>
    public void CountRefusal(long generation, FrameRefusal reason)
    {
        if (reason == FrameRefusal.None)
        {
            return;
        }

        _hub.Metrics.Refused(Tag, reason);
        bool abused;
        lock (_lock)
        {
            _refusals[(int)reason]++;
            abused = _abuse.Count(_hub.Time.GetUtcNow());
        }

        if (Current is { } connection && connection.Generation == generation)
        {
            if (abused)
            {
                connection.Stop(LinkDownReason.Abuse);
            }
            else if (reason.LosesFrame())
            {
                connection.Stop(LinkDownReason.BadFrame);
            }
        }
    }

    /// <summary>Refusals so far for one reason.</summary>
    public long Refusals(FrameRefusal reason)
    {
        lock (_lock)
        {
            return _refusals[(int)reason];
        }
    }

    internal void OnActivity() => Volatile.Write(ref _activity, _hub.Time.GetTimestamp());

    internal void OnHeartbeat(in HeartbeatFrame heartbeat)
    {
        OnActivity();
        Interlocked.Exchange(ref _peerProgress, heartbeat.Progress);
        lock (_lock)
        {
            _monitor?.OnHeartbeat(_hub.Clock());
        }
    }

    internal void OnRoundTrip(TimeSpan roundTrip)
    {
        lock (_lock)
        {
            _roundTrips.Add(roundTrip);
        }
    }

    /// <summary>Judges the peer of a connection; ends it when it is dead.</summary>
    internal void JudgeLiveness(LinkConnection connection)
    {
        PeerLiveness before;
        PeerLiveness now;
        lock (_lock)
        {
            if (_monitor is null || !ReferenceEquals(Current, connection))
            {
                return;
            }

            before = _monitor.Liveness;
            _monitor.OnActivity(_hub.ToClock(Volatile.Read(ref _activity)));
            now = _monitor.Evaluate(_hub.Clock());
        }

        if (now != before)
        {
            _hub.Handler.OnLiveness(this, now);
        }

        if (now == PeerLiveness.Dead)
        {
            connection.Stop(LinkDownReason.Dead);
        }
    }

    /// <summary>
    /// Whether it is now to be reported that the peer cannot be reached: once each time that the link has been up.
    /// </summary>
    internal bool TryBeginUnreachable()
    {
        lock (_lock)
        {
            if (_current is not null || !_mayBeUnreachable)
            {
                return false;
            }

            _mayBeUnreachable = false;
            return true;
        }
    }

    /// <summary>
    /// Makes a connection that has shaken hands the current one, or returns why not. Of two connections between a pair
    /// the one that the lower id dialled stays, and a newer takes the place of an older in the same direction.
    /// </summary>
    internal async Task<string?> TryAttachAsync(LinkConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            LinkConnection existing;
            lock (_lock)
            {
                if (connection.Peer!.Incarnation < _peerIncarnation)
                {
                    return $"Incarnation {connection.Peer.Incarnation} of {PeerId} is older than {_peerIncarnation}, which has been here.";
                }

                if (_current is null)
                {
                    Become(connection);
                    return null;
                }

                existing = _current;
                var lowerDials = string.CompareOrdinal(_hub.Options.PeerId, PeerId) < 0;
                if (existing.Dialled != connection.Dialled
                    && existing.Dialled == lowerDials
                    && connection.Peer.Incarnation == _peerIncarnation)
                {
                    return $"{PeerId} is connected already, by the connection that the lower id dialled.";
                }
            }

            existing.Stop(LinkDownReason.Superseded);
            await existing.Completed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Runs an attached connection to its end, with the handler told at both ends.</summary>
    internal async Task RunAsync(LinkConnection connection)
    {
        try
        {
            _hub.Metrics.Connected(Tag);
            _hub.Handler.OnConnected(this, connection.Generation, connection.Peer!);
            await connection.RunAsync(this);
        }
        finally
        {
            lock (_lock)
            {
                _current = null;
            }

            connection.Queue.Clear();
            try
            {
                _hub.Handler.OnDisconnected(this, connection.Generation, connection.Reason);
            }
            finally
            {
                connection.Complete();
            }
        }
    }

    // Under the lock.
    private void Become(LinkConnection connection)
    {
        _peerIncarnation = connection.Peer!.Incarnation;
        connection.Attach(++_generation);
        OnActivity();
        _monitor = _hub.Options.HeartbeatPeriod > TimeSpan.Zero
            ? new LivenessMonitor(_hub.Options.HeartbeatPeriod, _hub.Clock())
            : null;
        _mayBeUnreachable = true;
        Volatile.Write(ref _current, connection);
    }
}
