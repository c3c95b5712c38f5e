namespace Parallax.Router.Sessions;

/// <content>A worker that is slow, not lost, is left when another path is so much faster that its refill pays.</content>
internal sealed partial class RemoteSession
{
    private long _comparedAt;
    private bool _seeksFaster;

    /// <summary>Looks for a faster path from time to time, while tokens flow. Under the lock.</summary>
    private void CompareAtTimes(long now)
    {
        if (_finder is not { } finder || _isRerouting || _seeksFaster || _core.NeedsPath || _core.Received == _core.OpenAnswer
            || _clock.GetElapsedTime(_comparedAt, now) < _failover.CompareEvery)
        {
            return;
        }

        _comparedAt = now;
        _seeksFaster = true;
        _ = Task.Run(() => SeekFaster(finder));
    }

    private void SeekFaster(IPathFinder finder)
    {
        RerouteRequest request;
        WorkerPath present;
        lock (_gate)
        {
            (request, present) = (ToRequest(), _path);
        }

        var found = request.Avoided.IsEmpty ? finder.FindFaster(request, present, _failover.SlowFactor) : null;
        List<(WorkerLink Link, int Seat)> added = [];
        ISessionPlaces? before = null;
        RerouteReport? report = null;
        lock (_gate)
        {
            _seeksFaster = false;
            if (found is null)
            {
                return;
            }

            if (!ReferenceEquals(present, _path) || _isRerouting || _core.NeedsPath || _core.IsEnded || _core.IsCancelled)
            {
                found.Dispose();
                return;
            }

            _lossReason = $"{present} has become slow ({found.Path.Cost.StepMs:0.#} ms a step are to be had)";
            _lostAt = _clock.GetTimestamp();
            var shared = Shared(present, found.Path);
            report = new RerouteReport(this, _lossReason, found.Path, TimeSpan.Zero, TimeSpan.Zero, shared);
            before = _reservation;
            _observer?.OnLost(_core.Epoch, "", _core.Received, _lossReason);
            Take(found, shared, added);
            _isRerouting = true; // the loop sees to it that the new path answers
        }

        before?.Dispose();
        foreach (var (link, seat) in added)
        {
            link.Add(this, seat);
        }

        finder.OnRerouted(report.Value);
        _ = AcceptedThenRerouteAsync(finder);
    }

    private async Task AcceptedThenRerouteAsync(IPathFinder finder)
    {
        await AcceptedInTimeAsync();
        await RerouteAsync(finder);
    }

    private static int Shared(WorkerPath one, WorkerPath other) =>
        one.Stages.Count(stage => other.Stages.Any(each => ReferenceEquals(each.Link, stage.Link) && each.Range == stage.Range));
}
