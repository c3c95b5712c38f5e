using System.Collections.Immutable;
using Parallax.Router.Routing;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using FinishReason = Parallax.Runtime.Execution.FinishReason;

namespace Parallax.Router.Sessions;

/// <content>
/// What happens when a stage is lost: another path is looked for, by one loop per session, until there is one, the lost
/// stage is back, or the session ends.
/// </content>
internal sealed partial class RemoteSession
{
    private readonly Dictionary<string, long> _avoided = new(StringComparer.Ordinal); // worker ids, until when
    private TaskCompletionSource _waitingChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _allAccepted;  // of the present epoch, while somebody waits for it
    private SessionResult? _lastResort;          // what the session ends with when there is no other path for it
    private string? _waiting;
    private string _lossReason = "";
    private long _lastSign;                      // when the session last moved
    private long _lostAt;                        // when the loss was noticed
    private int _suspectedAt = -1;               // tokens received when a link was reported down; -1: none is
    private bool _isRerouting;                   // the loop runs
    private bool _isResuming;                    // a new path was taken and no token has come over it yet

    /// <summary>What the session waits for, for people; null while it does not wait for a worker.</summary>
    public string? Waiting => Volatile.Read(ref _waiting);

    /// <summary>Completes when <see cref="Waiting"/> changes, after this task was handed out.</summary>
    public Task WaitingChanged
    {
        get
        {
            lock (_gate)
            {
                return _waitingChanged.Task;
            }
        }
    }

    /// <summary>The worker cannot be reached: its control stream is gone and did not come back at once.</summary>
    public void OnUnreachable(int seat, string problem)
    {
        lock (_gate)
        {
            _core.OnUnreachable(seat);
            SeekPath($"{Describe(seat)} cannot be reached: {problem}");
        }
    }

    /// <summary>A stage reports that it lost the next one.</summary>
    public void OnStageLost(int seat, Epoch at, string worker, bool isUnknownThere)
    {
        lock (_gate)
        {
            if (at != _core.Epoch || !_core.IsOnPath(seat) || FindSeat(worker) is not (var lost and >= 0))
            {
                return;
            }

            if (isUnknownThere)
            {
                _core.Lose(lost);
                SeekPath($"{Describe(lost)} no longer holds the session");
            }
            else if (_suspectedAt < 0)
            {
                _suspectedAt = _core.Received;
                _ = LookAtLinkAsync(at, lost, seat, isNew: _core.Received == _core.OpenAnswer);
            }
        }
    }

    /// <summary>The head owes a token for long, and nothing is known to be broken: everybody is asked to begin again (rule 10).</summary>
    public void OnStalled(TimeSpan time)
    {
        lock (_gate)
        {
            if (_core.NeedsPath || _isRerouting)
            {
                return;
            }

            if (_finder is not null && _core.MayRaise())
            {
                _core.Lose(_core.Head);
                SeekPath($"no token for {time.TotalSeconds:0} s");
                return;
            }
        }

        Fail($"The workers computed nothing for {time.TotalSeconds:0} s.");
    }

    /// <summary>
    /// A link between two workers is down. The receiver's end may be known soon (then its control stream says so), or the
    /// link may come back and the session go on by itself; else a path around it is looked for.
    /// </summary>
    private async Task LookAtLinkAsync(Epoch at, int lost, int reporter, bool isNew)
    {
        // A token that was under way when the link broke still comes: after one, it is looked at once more.
        for (var isLast = false; ;)
        {
            await Task.Delay(isNew ? _failover.NewLinkGrace : _failover.LinkGrace, _clock);
            lock (_gate)
            {
                if (at != _core.Epoch || _core.IsEnded || _core.IsCancelled || _suspectedAt < 0)
                {
                    return; // whoever finds a path forgets the report
                }

                if (_core.NeedsPath)
                {
                    continue; // that may pass without another path: then the link counts again
                }

                if (_core.Received == _suspectedAt)
                {
                    // Lost, whatever is still under way: a token that comes now does not bring the link back.
                    Avoid(_seats[lost].Link, _failover.AvoidFor);
                    _core.Lose(lost);
                    SeekPath($"{Describe(reporter)} has no link to {Describe(lost)}");
                    return;
                }

                _suspectedAt = isLast ? -1 : _core.Received; // tokens keep coming: the link is back, and its next loss is news
                if (isLast)
                {
                    return;
                }

                isLast = true;
            }
        }
    }

    /// <summary>Starts the loop that looks for a path, unless it runs, or nothing is wrong. Under the lock.</summary>
    private void SeekPath(string reason)
    {
        if (_isRerouting && _core.NeedsPath)
        {
            _allAccepted?.TrySetResult(); // who waits for the acknowledgements of a path that is broken already waits no longer
        }

        if (_isRerouting || _core.IsEnded || _core.IsCancelled || !_core.NeedsPath)
        {
            return;
        }

        if (EndIfWhole() is { } whole)
        {
            _ = Task.Run(() => Complete(whole));
            return;
        }

        _lossReason = reason;
        if (_finder is not { } finder)
        {
            if (IsMerelyAway())
            {
                return;
            }

            if (_core.Received == Plan.Answer.Length && _core.MayRaise())
            {
                _core.Reroute(_core.Path); // nobody has seen anything of it yet
                Settle();
                return;
            }

            _ = Task.Run(() => Complete(_lastResort ?? new SessionResult.Lost($"{reason}.")));
            return;
        }

        _lostAt = _clock.GetTimestamp();
        _isRerouting = true;
        TellLost(reason);
        _ = Task.Run(() => RerouteAsync(finder));
    }

    private async Task RerouteAsync(IPathFinder finder)
    {
        try
        {
            while (true)
            {
                switch (Look(finder))
                {
                    case RerouteStep.Done:
                        return;
                    case RerouteStep.Taken:
                        await AcceptedInTimeAsync();
                        break;
                    default:
                        await Task.WhenAny(_result.Task, Task.Delay(_failover.LookEvery, _clock));
                        break;
                }
            }
        }
        catch (Exception e)
        {
            // A bug in the choice of paths must not leave a session waiting for ever.
            lock (_gate)
            {
                _isRerouting = false;
            }

            Fail($"No other path could be chosen: {e.GetType().Name}: {e.Message}");
        }
    }

    /// <summary>Looks for a path once, and takes it.</summary>
    private RerouteStep Look(IPathFinder finder)
    {
        RerouteRequest request;
        ISessionPlaces? before;
        lock (_gate)
        {
            if (_core.IsEnded || _core.IsCancelled || !_core.NeedsPath)
            {
                _isRerouting = false;
                _lastResort = null;
                SetWaiting(null);
                return RerouteStep.Done;
            }

            request = ToRequest();
            (before, _reservation) = (_reservation, null); // its own places must not count against it
        }

        before?.Dispose();
        var found = finder.Find(request);
        SessionResult? end = null;
        var waits = false;
        List<(WorkerLink Link, int Seat)> added = [];
        RerouteReport? report = null;
        lock (_gate)
        {
            if (found is not null && (_core.IsEnded || _core.IsCancelled || !_core.NeedsPath))
            {
                found.Dispose();
                return RerouteStep.Again; // which finds that nothing is to be done
            }

            if (EndIfWhole() is { } whole)
            {
                // The last token came while a path was looked for: nothing is left to resume.
                found?.Dispose();
                (end, _isRerouting) = (whole, false);
            }
            else if (found is not null)
            {
                report = new RerouteReport(
                    this, _lossReason, found.Path, _clock.GetElapsedTime(_lastSign, _lostAt), _clock.GetElapsedTime(_lostAt), request.Kept.Length);
                Take(found, request.Kept.Length, added);
            }
            else if (_lastResort is not null)
            {
                (end, _isRerouting) = (_lastResort, false);
            }
            else if (_clock.GetTimestamp() >= Plan.Deadline)
            {
                end = new SessionResult.Lost($"The answer was not complete within the time that this server allows: {_lossReason}, and no other worker came for {Missing(request)}.");
                _isRerouting = false;
            }
            else
            {
                waits = _waiting is null;
                SetWaiting($"{_lossReason}; waiting for a worker for {Missing(request)}");
            }
        }

        if (waits)
        {
            finder.OnWaiting(this, Waiting ?? "");
        }

        if (end is not null)
        {
            Complete(end);
            Dispose();
            return RerouteStep.Done;
        }

        if (report is not { } taken)
        {
            return RerouteStep.Again;
        }

        // A link's own lock comes before a session's.
        foreach (var (link, seat) in added)
        {
            link.Add(this, seat);
        }

        finder.OnRerouted(taken);
        return RerouteStep.Taken;
    }

    /// <summary>The session goes on over another path. Under the lock.</summary>
    private void Take(ReservedPath found, int kept, List<(WorkerLink Link, int Seat)> added)
    {
        var path = new int[found.Path.Stages.Length];
        for (var i = 0; i < path.Length; i++)
        {
            var (seat, isNew) = SeatOf(found.Path.Stages[i].Link);
            if (isNew)
            {
                added.Add((found.Path.Stages[i].Link, seat));
            }

            path[i] = seat;
        }

        // A standby serves whoever computes the same layers, in whatever place of the path they are now.
        foreach (var (seat, place) in _core.Standbys.ToArray())
        {
            if (place >= found.Path.Stages.Length || found.Path.Stages[place].Range != _standbys[seat].Range)
            {
                _core.DropStandby(seat);
            }
        }

        _path = found.Path;
        _reservation = found.Reservation.Take();
        _suspectedAt = -1;
        _lastResort = null;
        _isResuming = true;
        _allAccepted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _core.Reroute(path);
        _watch.Reset(_clock.GetTimestamp());
        _observer?.OnRerouted(_core.Epoch, _path, kept, _clock.GetElapsedTime(_lostAt));
        Settle();
    }

    /// <summary>Under the lock.</summary>
    private void TellLost(string reason)
    {
        if (_observer is null)
        {
            return;
        }

        var lost = _core.Path.ToArray().Where(_core.IsGone).Select(seat => _seats[seat].Link.WorkerId).DefaultIfEmpty("");
        foreach (var worker in lost)
        {
            _observer.OnLost(_core.Epoch, worker, _core.Received, reason);
        }
    }

    /// <summary>A token has come: over the new path, if one was taken. Under the lock.</summary>
    private void OnResumed(long now)
    {
        if (_isResuming)
        {
            _isResuming = false;
            _finder?.OnResumed(this, _clock.GetElapsedTime(_lastSign, now), _clock.GetElapsedTime(_lostAt, now));
        }
    }

    /// <summary>A worker of the new path that does not acknowledge it is lost, too (rule 5).</summary>
    private async Task AcceptedInTimeAsync()
    {
        Task accepted;
        Epoch epoch;
        lock (_gate)
        {
            (accepted, epoch) = (_allAccepted!.Task, _core.Epoch);
        }

        await Task.WhenAny(accepted, _result.Task, Task.Delay(_failover.AcknowledgeTime, _clock));
        lock (_gate)
        {
            if (epoch != _core.Epoch || _core.IsAccepted || _core.NeedsPath)
            {
                return;
            }

            foreach (var seat in _core.Path.ToArray().Where(seat => !_core.HasAccepted(seat) && !_core.IsGone(seat)))
            {
                _core.Lose(seat);
                Avoid(_seats[seat].Link, _failover.AvoidFor);
                _lossReason = $"{Describe(seat)} does not answer";
            }
        }
    }

    private RerouteRequest ToRequest()
    {
        var now = _clock.GetTimestamp();
        foreach (var worker in _avoided.Where(avoided => avoided.Value <= now).Select(static avoided => avoided.Key).ToList())
        {
            _avoided.Remove(worker);
        }

        var kept = ImmutableArray.CreateBuilder<WorkerPathStage>();
        for (var i = 0; i < _path.Stages.Length; i++)
        {
            if (!_core.IsGone(_core.Path[i]) && !_avoided.ContainsKey(_path.Stages[i].PresentWorkerId))
            {
                kept.Add(_path.Stages[i]);
            }
        }

        kept.AddRange(WarmStandbys());
        return new RerouteRequest(this, Plan, _path.Offer.NumericClass, _core.Known, kept.ToImmutable(), [.. _avoided.Keys]);
    }

    private string Missing(RerouteRequest request) => string.Join(
        " and ", _path.Stages.Where(stage => !request.Kept.Contains(stage)).Select(static stage => $"layers {stage.Range}"));

    private void Avoid(WorkerLink link, TimeSpan time) =>
        _avoided[link.WorkerId] = _clock.GetTimestamp() + (long)(time.TotalSeconds * _clock.TimestampFrequency);

    /// <summary>Whether all that is wrong is that a control stream is gone: without failover, it is waited for.</summary>
    private bool IsMerelyAway()
    {
        foreach (var seat in _core.Path)
        {
            if (_core.IsLost(seat))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Ends the session if the tokens that have come are the whole answer; null when they are not. Under the lock.</summary>
    private SessionResult.Finished? EndIfWhole()
    {
        var isStopped = _ids.Count > 0 && Plan.Sampling.StopTokenIds.AsSpan().Contains(_ids[^1]);
        if (!isStopped && _ids.Count < Plan.Sampling.MaxTokens)
        {
            return null;
        }

        _core.Complete();
        Settle();
        return new SessionResult.Finished(isStopped ? FinishReason.Stop : FinishReason.Length, Plan.Prompt.Length, 0, _core.Received, "");
    }

    private int FindSeat(string worker)
    {
        foreach (var seat in _core.Path)
        {
            if (_seats[seat].Link.WorkerId == worker)
            {
                return seat;
            }
        }

        return -1;
    }

    private string Describe(int seat) =>
        _core.PlaceOf(seat) is var place and >= 0 ? _path.Describe(place) : $"The worker at {_seats[seat].Link.Address.Authority}";

    private void SetWaiting(string? text)
    {
        if (Interlocked.Exchange(ref _waiting, text) == text)
        {
            return;
        }

        TaskCompletionSource before;
        lock (_gate)
        {
            (before, _waitingChanged) = (_waitingChanged, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        before.SetResult();
    }

    private enum RerouteStep
    {
        Again,
        Taken,
        Done,
    }
}
