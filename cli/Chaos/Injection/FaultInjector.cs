using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Network;
using Parallax.Cli.Chaos.Processes;

namespace Parallax.Cli.Chaos.Injection;

/// <summary>Does to a local swarm what faults say. Thread-safe.</summary>
/// <param name="swarm">The swarm.</param>
/// <param name="clock">Clock.</param>
/// <param name="restartAfter">When a killed process is started again, unless its fault says otherwise; null: not.</param>
internal sealed class FaultInjector(LocalSwarm swarm, TimeProvider clock, TimeSpan? restartAfter)
{
    private static readonly TimeSpan SlowPeriod = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new(); // guards _lasting
    private readonly List<Task> _lasting = [];

    /// <summary>Injects a fault; those that last go on in the background.</summary>
    /// <returns>What happened; null when nobody plays the victim's role now.</returns>
    public async Task<InjectedFault?> InjectAsync(Fault fault, CancellationToken cancellationToken)
    {
        var workers = await swarm.ViewAsync(cancellationToken);
        var victim = Find(fault.Victim, fault.Draw, workers, first: null);
        if (victim is null)
        {
            return null;
        }

        if (fault.Other is not { } role)
        {
            return Inject(fault, victim, cancellationToken);
        }

        var other = Find(role, fault.Draw >> 32, workers, victim.Worker);
        return other is null ? null : Inject(fault, victim, other, cancellationToken);
    }

    /// <summary>Waits for the end of the faults that last.</summary>
    public async Task SettledAsync()
    {
        Task[] lasting;
        lock (_lock)
        {
            lasting = [.. _lasting];
        }

        await Task.WhenAll(lasting);
    }

    private InjectedFault? Inject(Fault fault, Target victim, CancellationToken cancellationToken)
    {
        if (fault.Kind == FaultKind.Kill)
        {
            var at = victim.Slot.Kill(fault.NeverRestarts ? null : fault.RestartAfter ?? restartAfter);
            return new InjectedFault(fault, at, victim.Slot.Id, victim.Place);
        }

        if (victim.Slot.Process is not { } process)
        {
            return null;
        }

        var injected = new InjectedFault(fault, clock.GetTimestamp(), victim.Slot.Id, victim.Place);
        Keep(fault.Kind == FaultKind.Pause
            ? HoldAsync(process.Stop, process.Continue, fault.Duration, cancellationToken)
            : SlowAsync(process, fault, cancellationToken));
        return injected;
    }

    private InjectedFault? Inject(Fault fault, Target victim, Target other, CancellationToken cancellationToken)
    {
        var network = swarm.Network ?? throw new InvalidOperationException("the swarm was started without relays");
        var (one, two) = (victim.Slot.Id, other.Slot.Id);
        var injected = new InjectedFault(fault, clock.GetTimestamp(), one, victim.Place) { Other = two };
        var (there, back) = (network.Between(one, two), network.Between(two, one));
        switch (fault.Kind)
        {
            case FaultKind.Drop:
                return network.Cut(one, two) > 0 ? injected : null;
            case FaultKind.Corrupt:
                there.Corrupt(fault.Chunks);
                return injected;
            default:
                foreach (var gate in (Gate[])[.. fault.Way == PartitionWay.Back ? [] : new[] { there }, .. fault.Way == PartitionWay.Out ? [] : new[] { back }])
                {
                    Keep(HoldAsync(gate.Hold, gate.Release, fault.Duration, cancellationToken));
                }

                return injected;
        }
    }

    private Target? Find(Victim victim, ulong draw, IReadOnlyList<WorkerView> workers, WorkerView? first)
    {
        if (victim.Role == VictimRole.Router)
        {
            var routers = swarm.Routers.Where(static router => router.IsUp).ToList();
            return routers.Count == 0 ? null : new Target(routers[(int)(draw % (ulong)routers.Count)], VictimRole.Router, null);
        }

        return VictimChoice.Choose(victim, draw, workers, swarm.Plan.Stages, first) is { } worker
            ? new Target(
                swarm.Worker(worker.Id),
                worker.Sessions == 0 ? VictimRole.Spare : VictimChoice.PlaceOf(worker.Stage, swarm.Plan.Stages),
                worker)
            : null;
    }

    private async Task SlowAsync(ChildProcess process, Fault fault, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (clock.GetElapsedTime(began) < fault.Duration && !cancellationToken.IsCancellationRequested)
        {
            await HoldAsync(process.Stop, process.Continue, SlowPeriod * fault.StoppedShare, cancellationToken);
            await Task.Delay(SlowPeriod * (1 - fault.StoppedShare), clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Whatever ends it, what was held is let go.</summary>
    private async Task HoldAsync(Action hold, Action release, TimeSpan duration, CancellationToken cancellationToken)
    {
        hold();
        await Task.Delay(duration, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        release();
    }

    private void Keep(Task task)
    {
        lock (_lock)
        {
            _lasting.RemoveAll(static lasting => lasting.IsCompleted);
            _lasting.Add(task);
        }
    }

    private sealed record Target(ProcessSlot Slot, VictimRole Place, WorkerView? Worker);
}
