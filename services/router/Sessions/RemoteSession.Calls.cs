using System.Diagnostics;
using System.Threading.Channels;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using FinishReason = Parallax.Runtime.Execution.FinishReason;

namespace Parallax.Router.Sessions;

/// <content>What the links to the stages call, each for its own stage.</content>
internal sealed partial class RemoteSession
{
    /// <summary>Whether there is nothing more to say to a stage or to hear from it: its link may forget the session.</summary>
    public bool IsSettled(int stage)
    {
        lock (_gate)
        {
            return _core.IsSettled(stage);
        }
    }

    /// <summary>The session's name for a stage's lease renewals; null when it has none to renew.</summary>
    public SessionRef? LeaseReference(int stage)
    {
        lock (_gate)
        {
            return _core.HoldsLease(stage) ? Reference(stage) : null;
        }
    }

    public void OnConnected(int stage, ChannelWriter<StageSession> writer, long incarnation)
    {
        bool goesOn;
        lock (_gate)
        {
            _outlets[stage].Writer = writer;
            _outlets[stage].IsQueued = false;
            goesOn = _core.OnConnected(stage, incarnation);
            if (stage == 0)
            {
                _watch.Reset(_clock.GetTimestamp());
            }

            Settle();
        }

        if (!goesOn)
        {
            Complete(new SessionResult.Lost($"{_path.Describe(stage)} restarted while it generated."));
        }
    }

    public void OnDisconnected(int stage, ChannelWriter<StageSession> writer)
    {
        lock (_gate)
        {
            ref var outlet = ref _outlets[stage];
            if (ReferenceEquals(outlet.Writer, writer))
            {
                _core.OnDisconnected(stage);
                outlet.Writer = null;
                outlet.IsQueued = false;
            }
        }
    }

    /// <summary>The next message to send to a stage over the connection of <paramref name="writer"/>, or null.</summary>
    public RouterMessage? TakeMessage(int stage, ChannelWriter<StageSession> writer)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_outlets[stage].Writer, writer))
            {
                return null;
            }

            var message = _core.TakeCommand(stage) switch
            {
                SessionCommand.Open => new RouterMessage { Open = RouterMapping.ToWire(Plan, Reference(stage, incarnation: 0), TimeLeft(), _path, stage) },
                SessionCommand.Rejoin => new RouterMessage { Rejoin = new Rejoin { Session = Reference(stage), Known = _core.KnownAt(stage) } },
                SessionCommand.Start => new RouterMessage
                {
                    Start = new Start { Session = Reference(stage), Keep = _core.Keep, NextIncarnation = _core.NextIncarnation(stage) },
                },
                SessionCommand.Acknowledge => new RouterMessage { Acknowledge = new Acknowledge { Session = Reference(stage), Known = _core.Consumed } },
                SessionCommand.Cancel => new RouterMessage
                {
                    Cancel = new Cancel { Session = SessionRefs.Create(_core.Session, _core.CancelEpoch(stage), _core.Incarnation(stage)) },
                },
                SessionCommand.None when stage == 0 && _watch.TakeProbe() is { } nonce =>
                    new RouterMessage { Probe = new Probe { Session = Reference(stage), Nonce = nonce } },
                SessionCommand.None => null,
                _ => throw new UnreachableException(),
            };
            _outlets[stage].IsQueued = message is not null;
            if (message is null)
            {
                ForgetSettled(); // only now: what was taken before has been sent
            }

            return message;
        }
    }

    /// <summary>The time is up for the head to show a sign of life for this session, or not yet.</summary>
    public WatchVerdict Tick(WatchLimits limits)
    {
        lock (_gate)
        {
            var verdict = _watch.Tick(_clock.GetTimestamp(), _clock.TimestampFrequency, _core.IsWaitingForWorker, limits);
            if (verdict == WatchVerdict.Probe)
            {
                Signal(0);
            }

            return verdict;
        }
    }

    public void OnAccepted(int stage, Epoch at, int cachedPrefix)
    {
        bool accepted;
        lock (_gate)
        {
            _core.OnAccepted(stage, at, cachedPrefix);
            _watch.Reset(_clock.GetTimestamp());
            accepted = _core.IsAccepted;
            Settle();
        }

        if (accepted)
        {
            _accepted.TrySetResult();
        }
    }

    public void OnRefused(int stage, Epoch at, OpenRefusal? reason, string message)
    {
        bool ended;
        lock (_gate)
        {
            ended = _core.OnRefused(stage, at);
            Settle();
        }

        if (ended)
        {
            Complete(new SessionResult.Refused(reason, _outlets.Length == 1 ? message : $"{_path.Describe(stage)} refuses: {message}"));
        }
    }

    public void OnTokens(int stage, Epoch at, Tokens tokens)
    {
        var overrun = false;
        lock (_gate)
        {
            for (var i = _core.OnTokens(stage, at, tokens.FirstIndex, tokens.Ids.Count); i < tokens.Ids.Count; i++)
            {
                overrun |= !_tokens.Writer.TryWrite(RouterMapping.ToToken(tokens, i)) && !_core.IsCancelled;
            }

            if (stage == 0)
            {
                _watch.OnToken(_clock.GetTimestamp(), _clock.TimestampFrequency, tokens.Ids.Count);
                Signal(0);
            }
        }

        if (overrun)
        {
            Fail("The worker sent more tokens than it may run ahead.");
        }
    }

    public void OnFinished(int stage, Epoch at, SessionResult.Finished finished)
    {
        bool ended;
        lock (_gate)
        {
            ended = _core.OnFinished(stage, at, finished.Reason, finished.GeneratedTokens);
            Settle();
        }

        if (ended)
        {
            Complete(Explain(stage, finished));
        }
    }

    public void OnUnknown(int stage, Epoch at, long incarnation)
    {
        bool goesOn;
        lock (_gate)
        {
            goesOn = _core.OnUnknown(stage, at, incarnation);
            Settle();
        }

        if (!goesOn)
        {
            Complete(new SessionResult.Lost($"{_path.Describe(stage)} no longer holds the session."));
        }
    }

    public void OnStale(Epoch present)
    {
        bool ended;
        lock (_gate)
        {
            ended = _core.OnStale(present);
            Settle();
        }

        if (ended)
        {
            Complete(new SessionResult.Lost("Another router has taken the session over."));
        }
    }

    public void OnProbeReply(int stage, Epoch at, ProbeReply reply)
    {
        lock (_gate)
        {
            if (stage != 0 || at != _core.Epoch || !_watch.OnReply(_clock.GetTimestamp(), reply.Nonce, reply.Steps))
            {
                return;
            }

            if (reply.Generated > _core.Received || reply.Finished)
            {
                // The reply travels behind what was sent before it: what is missing now got lost.
                _core.OnMissed();
                Signal(0);
            }
        }
    }

    /// <summary>The stage's worker stays away: the session is given up, and the other stages are told so.</summary>
    public void OnGivenUp(int stage, string message)
    {
        Fail(message);
        lock (_gate)
        {
            _core.OnGivenUp(stage);
            Settle();
        }
    }

    /// <summary>How a session ended that one of its stages ended.</summary>
    private SessionResult Explain(int stage, SessionResult.Finished finished) => finished.Reason switch
    {
        FinishReason.Error when stage != 0 => finished with { Error = $"{_path.Locate(stage)}: {finished.Error}" },
        FinishReason.Cancelled when stage != 0 => new SessionResult.Lost($"{_path.Describe(stage)} ended the session; it may be stopping."),
        _ => finished, // a deadline runs out at all stages at about the same time, whichever says so first
    };

    private long TimeLeft() =>
        Math.Max(1, (long)_clock.GetElapsedTime(_clock.GetTimestamp(), Plan.Deadline).TotalMilliseconds);

    private SessionRef Reference(int stage, long? incarnation = null) =>
        SessionRefs.Create(_core.Session, _core.Epoch, incarnation ?? _core.Incarnation(stage));
}
