using System.Diagnostics;
using System.Threading.Channels;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using FinishReason = Parallax.Runtime.Execution.FinishReason;

namespace Parallax.Router.Sessions;

/// <content>What the links to the workers call, each for its own seat.</content>
internal sealed partial class RemoteSession
{
    private const string Overrun = "The worker sent more tokens than it may run ahead.";

    /// <summary>Whether there is nothing more to say to a worker or to hear from it: its link may forget the session.</summary>
    public bool IsSettled(int seat)
    {
        lock (_gate)
        {
            return _core.IsSettled(seat);
        }
    }

    /// <summary>The session's name for a worker's lease renewals; null when it has none to renew.</summary>
    public SessionRef? LeaseReference(int seat)
    {
        lock (_gate)
        {
            return _core.HoldsLease(seat) ? Reference(seat) : null;
        }
    }

    public void OnConnected(int seat, ChannelWriter<StageSession> writer, long incarnation)
    {
        lock (_gate)
        {
            _seats[seat].Writer = writer;
            _seats[seat].IsQueued = false;
            var goesOn = _core.OnConnected(seat, incarnation);
            if (seat == _core.Head)
            {
                _watch.Reset(_clock.GetTimestamp());
            }

            Settle();
            if (!goesOn)
            {
                SeekPath($"{Describe(seat)} restarted while it generated");
            }
        }
    }

    public void OnDisconnected(int seat, ChannelWriter<StageSession> writer)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_seats[seat].Writer, writer))
            {
                _core.OnDisconnected(seat);
                _seats[seat].Writer = null;
                _seats[seat].IsQueued = false;
            }
        }
    }

    /// <summary>The next message to send to a worker over the connection of <paramref name="writer"/>, or null.</summary>
    public RouterMessage? TakeMessage(int seat, ChannelWriter<StageSession> writer)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_seats[seat].Writer, writer))
            {
                return null;
            }

            var message = _core.TakeCommand(seat) switch
            {
                SessionCommand.Open => new RouterMessage { Open = ToOpen(seat) },
                SessionCommand.Rejoin => new RouterMessage { Rejoin = new Rejoin { Session = Reference(seat), Known = _core.KnownAt(seat) } },
                SessionCommand.Start => new RouterMessage { Start = ToStart(seat) },
                SessionCommand.Mirror => new RouterMessage { Mirror = ToMirror(seat) },
                SessionCommand.Acknowledge => new RouterMessage { Acknowledge = new Acknowledge { Session = Reference(seat), Known = _core.Consumed } },
                SessionCommand.Cancel => new RouterMessage
                {
                    Cancel = new Cancel { Session = SessionRefs.Create(_core.Session, _core.CancelEpoch(seat), _core.Incarnation(seat)) },
                },
                SessionCommand.None when seat == _core.Head && _watch.TakeProbe() is { } nonce =>
                    new RouterMessage { Probe = new Probe { Session = Reference(seat), Nonce = nonce } },
                SessionCommand.None => null,
                _ => throw new UnreachableException(),
            };
            _seats[seat].IsQueued = message is not null;
            if (message is null)
            {
                ForgetSettled(); // only now: what was taken before has been sent
            }

            return message;
        }
    }

    private Open ToOpen(int seat)
    {
        var place = _core.PlaceOf(seat);
        var path = _standbys.TryGetValue(seat, out var standby) && _core.IsStandby(seat)
            ? _path with { Stages = _path.Stages.SetItem(place, standby) }
            : _path;
        var open = RouterMapping.ToWire(Plan, Reference(seat, incarnation: 0), TimeLeft(), path, place);
        open.Standby = _core.IsStandby(seat);
        open.Answer.AddRange(_ids.Take(_core.OpenAnswer));
        return open;
    }

    private Mirror ToMirror(int seat)
    {
        var mirror = new Mirror { Session = Reference(seat) };
        foreach (var standby in _core.MirrorsOf(seat))
        {
            mirror.Targets.Add(new Mirror.Types.Target
            {
                Worker = _standbys[standby].PresentWorkerId,
                Address = _standbys[standby].LinkAddress.GetLeftPart(UriPartial.Authority),
                Incarnation = _core.Incarnation(standby),
                Applied = _core.MirrorFrom(standby),
            });
        }

        return mirror;
    }

    private Start ToStart(int seat)
    {
        var start = new Start { Session = Reference(seat), Keep = _core.KeepAt(seat), NextIncarnation = _core.NextIncarnation(seat) };
        start.Answer.AddRange(_ids.Skip(_core.OpenAnswer).Take(_core.StartAnswer));
        return start;
    }

    /// <summary>The time is up for the head to show a sign of life for this session, or not yet.</summary>
    public WatchVerdict Tick(int seat, WatchLimits limits)
    {
        lock (_gate)
        {
            if (seat != _core.Head || _core.NeedsPath)
            {
                return WatchVerdict.Fine;
            }

            CompareAtTimes(_clock.GetTimestamp());
            var verdict = _watch.Tick(_clock.GetTimestamp(), _clock.TimestampFrequency, _core.IsWaitingForWorker, limits);
            if (verdict == WatchVerdict.Probe)
            {
                Signal(seat);
            }

            return verdict;
        }
    }

    public void OnAccepted(int seat, Epoch at, OpenAck.Types.Accepted? accepted)
    {
        var allAccepted = false;
        var overrun = false;
        SessionResult? end = null;
        lock (_gate)
        {
            var tokens = accepted?.Tokens;
            var count = tokens?.Ids.Count ?? 0;
            var skip = _core.OnAccepted(seat, at, accepted?.CachedPrefix ?? 0, tokens?.FirstIndex ?? 0, count);
            overrun = count > 0 && !TryTake(tokens!, skip);
            if (at == _core.Epoch && seat == _core.Head && accepted?.Finished is { } finished && finished.GeneratedTokens == _core.Received)
            {
                _core.Complete(); // the last token came with the acknowledgement: nothing is left to resume
                end = RouterMapping.ToResult(finished);
            }

            _watch.Reset(_clock.GetTimestamp());
            allAccepted = _core.IsAccepted;
            if (allAccepted && _core.IsOnPath(seat))
            {
                _allAccepted?.TrySetResult();
                SeekStandbys(TimeSpan.Zero);
            }

            Settle();
        }

        if (end is not null)
        {
            Complete(end);
        }
        else if (overrun)
        {
            Fail(Overrun);
        }
        else if (allAccepted)
        {
            _accepted.TrySetResult();
        }
    }

    public void OnRefused(int seat, Epoch at, OpenRefusal? reason, string message)
    {
        SessionResult? end = null;
        lock (_gate)
        {
            var text = _path.Stages.Length == 1 || !_core.IsOnPath(seat) ? message : $"{Describe(seat)} refuses: {message}";
            switch (_core.OnRefused(seat, at))
            {
                case SessionTurn.Ended:
                    end = new SessionResult.Refused(reason, text);
                    break;
                case SessionTurn.NeedsPath:
                    Avoid(_seats[seat].Link, _failover.AvoidFor);
                    SeekPath($"{Describe(seat)} refused to take over: {message}");
                    break;
                default:
                    break;
            }

            Settle();
        }

        if (end is not null)
        {
            Complete(end);
        }
    }

    public void OnTokens(int seat, Epoch at, Tokens tokens)
    {
        bool overrun;
        lock (_gate)
        {
            var skip = _core.OnTokens(seat, at, tokens.FirstIndex, tokens.Ids.Count);
            overrun = !TryTake(tokens, skip);
            if (seat == _core.Head)
            {
                var now = _clock.GetTimestamp();
                _watch.OnToken(now, _clock.TimestampFrequency, tokens.Ids.Count);
                if (skip < tokens.Ids.Count)
                {
                    _reservation?.PromptComputed();
                    OnResumed(now);
                    _lastSign = now;
                }

                Signal(seat);
            }
        }

        if (overrun)
        {
            Fail(Overrun);
        }
    }

    public void OnFinished(int seat, Epoch at, SessionResult.Finished finished)
    {
        SessionResult? end = null;
        lock (_gate)
        {
            switch (_core.OnFinished(seat, at, finished.Reason, finished.GeneratedTokens))
            {
                case SessionTurn.Ended:
                    end = Explain(seat, finished);
                    break;
                case SessionTurn.NeedsPath:
                    // A worker that says why may be right about the session: without another one, that is how it ends.
                    _lastResort = finished.Reason == FinishReason.Error ? Explain(seat, finished) : null;
                    Avoid(_seats[seat].Link, finished.Reason == FinishReason.Error ? _failover.AvoidBrokenFor : _failover.AvoidFor);
                    SeekPath(finished.Reason == FinishReason.Error
                        ? $"{Describe(seat)} failed: {finished.Error}"
                        : $"{Describe(seat)} ended the session; it may be stopping");
                    break;
                default:
                    break;
            }

            Settle();
        }

        if (end is not null)
        {
            Complete(end);
        }
    }

    public void OnUnknown(int seat, Epoch at, long incarnation)
    {
        lock (_gate)
        {
            if (_core.OnUnknown(seat, at, incarnation) == SessionTurn.NeedsPath)
            {
                SeekPath($"{Describe(seat)} no longer holds the session");
            }

            Settle();
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

    public void OnProbeReply(int seat, Epoch at, ProbeReply reply)
    {
        lock (_gate)
        {
            if (seat != _core.Head || at != _core.Epoch || !_watch.OnReply(_clock.GetTimestamp(), reply.Nonce, _finder is null ? reply.Steps : reply.Generated))
            {
                return;
            }

            if (reply.Generated > _core.Received || reply.Finished)
            {
                // The reply travels behind what was sent before it: what is missing now got lost.
                _core.OnMissed();
                Signal(seat);
            }
        }
    }

    /// <summary>The worker stays away for good: whoever needs it needs another one.</summary>
    public void OnGivenUp(int seat, string message)
    {
        lock (_gate)
        {
            _seats[seat].IsForgotten = true; // its link has forgotten the session
            _core.OnGivenUp(seat);
            SeekPath(message);
            Settle();
        }
    }

    /// <summary>Hands tokens to the reader; false when it cannot hold them. Under the lock.</summary>
    private bool TryTake(Tokens tokens, int skip)
    {
        var taken = true;
        for (var i = skip; i < tokens.Ids.Count; i++)
        {
            _ids.Add(tokens.Ids[i]);
            taken &= _tokens.Writer.TryWrite(RouterMapping.ToToken(tokens, i)) || _core.IsCancelled;
        }

        return taken;
    }

    /// <summary>How a session ended that one of its stages ended.</summary>
    private SessionResult.Finished Explain(int seat, SessionResult.Finished finished) => finished.Reason switch
    {
        FinishReason.Error when _path.Stages.Length > 1 && _core.PlaceOf(seat) is var place and >= 0 =>
            finished with { Error = $"{_path.Locate(place)}: {finished.Error}" },
        _ => finished, // a deadline runs out at all stages at about the same time, whichever says so first
    };

    private long TimeLeft() =>
        Math.Max(1, (long)_clock.GetElapsedTime(_clock.GetTimestamp(), Plan.Deadline).TotalMilliseconds);

    private SessionRef Reference(int seat, long? incarnation = null) =>
        SessionRefs.Create(_core.Session, _core.Epoch, incarnation ?? _core.Incarnation(seat));
}
