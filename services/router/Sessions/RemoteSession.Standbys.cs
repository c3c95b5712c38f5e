using System.Collections.Immutable;

namespace Parallax.Router.Sessions;

/// <content>
/// Workers that stand by for a stage: what is sent to it is mirrored to them, so that they can take over without a refill.
/// Best effort: a session never waits for one.
/// </content>
internal sealed partial class RemoteSession
{
    private static readonly TimeSpan SeekStandbysAgain = TimeSpan.FromSeconds(1);

    private readonly Dictionary<int, WorkerPathStage> _standbys = []; // by seat; guarded as the core
    private bool _seeksStandbys;

    /// <summary>Looks for standbys where stages lack some, after a while. Under the lock.</summary>
    private void SeekStandbys(TimeSpan after)
    {
        if (_failover.Standbys > 0 && _finder is { } finder && _path.Stages.Length > 1 && !_seeksStandbys)
        {
            _seeksStandbys = true;
            _ = SeekStandbysAsync(finder, after);
        }
    }

    private async Task SeekStandbysAsync(IPathFinder finder, TimeSpan after)
    {
        while (true)
        {
            await Task.Delay(after, _clock).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            List<(WorkerLink Link, int Seat)> added = [];
            lock (_gate)
            {
                if (_core.IsEnded || _core.IsCancelled)
                {
                    return;
                }

                for (var place = 0; place < _path.Stages.Length && _core is { NeedsPath: false, IsAccepted: true }; place++)
                {
                    if (_core.Standbys.Count(standby => standby.Place == place) < _failover.Standbys
                        && finder.FindStandby(this, Plan, _path, place, _core.Known, Busy()) is { } stage)
                    {
                        added.Add(StandBy(stage, place));
                    }
                }
            }

            foreach (var (link, seat) in added)
            {
                if (seat >= 0)
                {
                    link.Add(this, seat);
                }
            }

            after = SeekStandbysAgain;
        }
    }

    /// <summary>Workers that have a part in the session already, or are of no use to it.</summary>
    private ImmutableHashSet<string> Busy() =>
    [
        .. _path.Stages.Select(static stage => stage.PresentWorkerId),
        .. _core.Standbys.Select(standby => _seats[standby.Seat].Link.WorkerId),
        .. _avoided.Keys,
    ];

    /// <summary>Under the lock. The seat is to be added to its link, unless it is there already (-1).</summary>
    private (WorkerLink Link, int Seat) StandBy(WorkerPathStage stage, int place)
    {
        var (seat, isNew) = SeatOf(stage.Link);
        _standbys[seat] = stage;
        _core.StandBy(seat, place);
        Signal(seat);
        return (stage.Link, isNew ? seat : -1);
    }

    /// <summary>The seat of a link, made if there is none; whether the link has to take the session up.</summary>
    private (int Seat, bool IsNew) SeatOf(WorkerLink link)
    {
        var seat = _seats.FindIndex(each => ReferenceEquals(each.Link, link));
        if (seat < 0)
        {
            _seats.Add(new Seat(link));
            return (_core.AddSeat(), true);
        }

        var isNew = _seats[seat].IsForgotten;
        _seats[seat].IsForgotten = false;
        return (seat, isNew);
    }

    /// <summary>Standbys that can take the place of a lost stage at once. Under the lock.</summary>
    private IEnumerable<WorkerPathStage> WarmStandbys() =>
        from standby in _core.Standbys
        where _core.IsGone(_core.Path[standby.Place]) && _core.IsWarm(standby.Seat)
        select _standbys[standby.Seat];
}
