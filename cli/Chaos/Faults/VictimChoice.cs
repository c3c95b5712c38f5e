namespace Parallax.Cli.Chaos.Faults;

/// <summary>Who plays a victim's role now. Pure.</summary>
internal static class VictimChoice
{
    /// <summary>
    /// The worker to hit: of those that play the role the ones with sessions first, then those that do not say whether they
    /// have any, and among equals the draw decides.
    /// Null when nobody who runs plays it.
    /// </summary>
    /// <param name="victim">The role; routers are no workers and not chosen here.</param>
    /// <param name="draw">A random number.</param>
    /// <param name="workers">All workers.</param>
    /// <param name="stages">Stages of the ring.</param>
    /// <param name="first">The other victim, already chosen.</param>
    public static WorkerView? Choose(Victim victim, ulong draw, IReadOnlyList<WorkerView> workers, int stages, WorkerView? first = null)
    {
        var running = workers.Where(worker => worker.IsUp && worker.Id != first?.Id).OrderBy(static worker => worker.Id, StringComparer.Ordinal);
        List<WorkerView> fitting =
        [
            .. victim.Role switch
            {
                VictimRole.Head => running.Where(static worker => worker.Stage == 0),
                VictimRole.Middle => running.Where(worker => worker.Stage > 0 && worker.Stage < stages - 1),
                VictimRole.Tail => running.Where(worker => worker.Stage == stages - 1),
                VictimRole.Spare => running.Where(static worker => worker.Sessions == 0),
                VictimRole.Next when first is not null => running.Where(worker => worker.Stage == (first.Stage + 1) % stages),
                VictimRole.Named => running.Where(worker => worker.Id == victim.Id),
                VictimRole.Random => running,
                _ => [],
            },
        ];
        // Whoever does not say whether it has sessions may be too busy to.
        var among = fitting.GroupBy(static worker => worker.Sessions switch { > 0 => 0, null => 1, _ => 2 }).MinBy(static group => group.Key)?.ToList() ?? [];
        return among.Count == 0 ? null : among[(int)(draw % (ulong)among.Count)];
    }

    /// <summary>How a report calls the place of a worker.</summary>
    public static VictimRole PlaceOf(int stage, int stages) =>
        stage == 0 ? VictimRole.Head : stage == stages - 1 ? VictimRole.Tail : VictimRole.Middle;
}
