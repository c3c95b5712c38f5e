using System.Diagnostics;
using System.Threading.Channels;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using FinishReason = Parallax.Runtime.Execution.FinishReason;

namespace Parallax.Router.Sessions;

/// <summary>
/// One session on a worker: <see cref="SessionCore"/> with a lock around it, the tokens that have arrived and wait
/// for their reader, and the queue of the connection that tells the worker what the core wants said. One reader.
/// </summary>
internal sealed class RemoteSession : IDisposable
{
    /// <summary>More tokens than the run-ahead bound lets a worker send; beyond it the worker breaks the protocol.</summary>
    private const int BufferedTokens = 256;

    private readonly Lock _gate = new(); // guards _core, _outbox, _queued and the watch's fields
    private readonly SessionCore _core;
    private readonly WorkerLink _link;
    private readonly TimeProvider _clock;
    private readonly Channel<SessionToken> _tokens = Channel.CreateBounded<SessionToken>(
        new BoundedChannelOptions(BufferedTokens) { SingleReader = true, SingleWriter = true });

    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SessionResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionWatch _watch = new();
    private ChannelWriter<RemoteSession>? _outbox;
    private bool _queued;

    public RemoteSession(WorkerLink link, SessionPlan plan, SessionId id, Epoch epoch, TimeProvider clock)
    {
        _link = link;
        _clock = clock;
        Plan = plan;
        _core = new SessionCore(id, epoch, plan.Prompt.Length);
    }

    public SessionPlan Plan { get; }

    public SessionId Id => _core.Session;

    /// <summary>Completes when the worker has accepted the session or it has ended (<see cref="Result"/>).</summary>
    public Task Accepted => _accepted.Task;

    /// <summary>How the session ended; never faulted. Tokens that came before may still wait in <see cref="Tokens"/>.</summary>
    public Task<SessionResult> Result => _result.Task;

    /// <summary>The answer's tokens in order; completed when the session ends.</summary>
    public ChannelReader<SessionToken> Tokens => _tokens.Reader;

    /// <summary>Leading prompt tokens that came from the worker's cache.</summary>
    public int CachedTokens
    {
        get
        {
            lock (_gate)
            {
                return _core.CachedPrefix;
            }
        }
    }

    /// <summary>The client has the first <paramref name="tokens"/> tokens of the answer.</summary>
    public void Consumed(int tokens)
    {
        lock (_gate)
        {
            _core.OnConsumed(tokens);
            _watch.OnProgress(_clock.GetTimestamp());
            Signal();
        }
    }

    /// <summary>Cancels the session if it has not ended. The worker is told at once, or after a reconnect.</summary>
    public void Dispose()
    {
        bool forget;
        lock (_gate)
        {
            forget = !_core.Cancel();
            Signal();
        }

        Complete(new SessionResult.Finished(FinishReason.Cancelled, Plan.Prompt.Length, 0, 0, ""));
        if (forget)
        {
            _link.Forget(this);
        }
    }

    // ---- called by the link --------------------------------------------------------------------------------------

    public bool IsEnded
    {
        get
        {
            lock (_gate)
            {
                return _core.IsEnded;
            }
        }
    }

    public bool IsCancelled
    {
        get
        {
            lock (_gate)
            {
                return _core.IsCancelled;
            }
        }
    }

    /// <summary>The session's name for lease renewals; null when it has none to renew.</summary>
    public SessionRef? LeaseReference()
    {
        lock (_gate)
        {
            return _core is { IsAccepted: true, IsEnded: false, IsCancelled: false } ? Reference() : null;
        }
    }

    public void OnConnected(ChannelWriter<RemoteSession> outbox, long incarnation)
    {
        bool goesOn;
        lock (_gate)
        {
            _outbox = outbox;
            _queued = false;
            goesOn = _core.OnConnected(incarnation);
            _watch.Reset(_clock.GetTimestamp());
            Signal();
        }

        if (!goesOn)
        {
            End(new SessionResult.Lost("The worker restarted while it generated."));
        }
    }

    public void OnDisconnected(ChannelWriter<RemoteSession> outbox)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_outbox, outbox))
            {
                _core.OnDisconnected();
                _outbox = null;
                _queued = false;
            }
        }
    }

    /// <summary>The next message to send over the connection of <paramref name="outbox"/>, or null.</summary>
    public RouterMessage? TakeMessage(ChannelWriter<RemoteSession> outbox)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_outbox, outbox))
            {
                return null;
            }

            var message = _core.TakeCommand() switch
            {
                SessionCommand.Open => new RouterMessage { Open = RouterMapping.ToWire(Plan, Reference(incarnation: 0), TimeLeft()) },
                SessionCommand.Rejoin => new RouterMessage { Rejoin = new Rejoin { Session = Reference(), Known = _core.Known } },
                SessionCommand.Start => new RouterMessage { Start = new Start { Session = Reference(), Keep = _core.Keep } },
                SessionCommand.Acknowledge => new RouterMessage { Acknowledge = new Acknowledge { Session = Reference(), Known = _core.Consumed } },
                SessionCommand.Cancel => new RouterMessage { Cancel = new Cancel { Session = Reference() } },
                SessionCommand.None when _watch.TakeProbe() is { } nonce => new RouterMessage { Probe = new Probe { Session = Reference(), Nonce = nonce } },
                SessionCommand.None => null,
                _ => throw new UnreachableException(),
            };
            _queued = message is not null;
            return message;
        }
    }

    /// <summary>The time is up for the worker to show a sign of life for this session, or not yet.</summary>
    public WatchVerdict Tick(WatchLimits limits)
    {
        lock (_gate)
        {
            var verdict = _watch.Tick(_clock.GetTimestamp(), _clock.TimestampFrequency, _core.IsWaitingForWorker, limits);
            if (verdict == WatchVerdict.Probe)
            {
                Signal();
            }

            return verdict;
        }
    }

    public void OnAccepted(Epoch at, int cachedPrefix)
    {
        bool accepted;
        lock (_gate)
        {
            _core.OnAccepted(at, cachedPrefix);
            _watch.Reset(_clock.GetTimestamp());
            accepted = _core.IsAccepted;
            Signal();
        }

        if (accepted)
        {
            _accepted.TrySetResult();
        }
    }

    public void OnRefused(Epoch at, OpenRefusal? reason, string message)
    {
        bool ended;
        lock (_gate)
        {
            ended = _core.OnRefused(at);
        }

        if (ended)
        {
            End(new SessionResult.Refused(reason, message));
        }
    }

    public void OnTokens(Epoch at, Tokens tokens)
    {
        var overrun = false;
        lock (_gate)
        {
            for (var i = _core.OnTokens(at, tokens.FirstIndex, tokens.Ids.Count); i < tokens.Ids.Count; i++)
            {
                overrun |= !_tokens.Writer.TryWrite(RouterMapping.ToToken(tokens, i)) && !_core.IsCancelled;
            }

            _watch.OnToken(_clock.GetTimestamp(), _clock.TimestampFrequency, tokens.Ids.Count);
            Signal();
        }

        if (overrun)
        {
            Fail("The worker sent more tokens than it may run ahead.");
        }
    }

    public void OnFinished(Epoch at, SessionResult.Finished finished)
    {
        bool ended;
        lock (_gate)
        {
            ended = _core.OnFinished(at, finished.GeneratedTokens);
            Signal();
        }

        if (ended)
        {
            End(finished);
        }
    }

    public void OnUnknown(Epoch at, long incarnation)
    {
        bool goesOn;
        lock (_gate)
        {
            goesOn = _core.OnUnknown(at, incarnation);
            Signal();
        }

        if (!goesOn)
        {
            End(new SessionResult.Lost("The worker no longer holds the session."));
        }
    }

    public void OnStale(Epoch present)
    {
        bool ended;
        lock (_gate)
        {
            ended = _core.OnStale(present);
        }

        if (ended)
        {
            End(new SessionResult.Lost("Another router has taken the session over."));
        }
    }

    public void OnProbeReply(Epoch at, ProbeReply reply)
    {
        lock (_gate)
        {
            if (at != _core.Epoch || !_watch.OnReply(_clock.GetTimestamp(), reply.Nonce, reply.Steps))
            {
                return;
            }

            if (reply.Generated > _core.Received || reply.Finished)
            {
                // The reply travels behind what was sent before it: what is missing now got lost.
                _core.OnMissed();
                Signal();
            }
        }
    }

    /// <summary>Gives the session up: the worker is told to cancel, the reader that it is lost.</summary>
    public void Fail(string message)
    {
        Complete(new SessionResult.Lost(message));
        Dispose();
    }

    private void End(SessionResult result)
    {
        Complete(result);
        _link.Forget(this);
    }

    private void Complete(SessionResult result)
    {
        if (_result.TrySetResult(result))
        {
            _tokens.Writer.TryComplete();
            _accepted.TrySetResult();
        }
    }

    private long TimeLeft() =>
        Math.Max(1, (long)_clock.GetElapsedTime(_clock.GetTimestamp(), Plan.Deadline).TotalMilliseconds);

    private SessionRef Reference(long? incarnation = null) =>
        SessionRefs.Create(_core.Session, _core.Epoch, incarnation ?? _core.Incarnation);

    private void Signal()
    {
        if (!_queued && _outbox is not null)
        {
            _queued = true;
            _outbox.TryWrite(this);
        }
    }
}
