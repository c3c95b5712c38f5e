using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Injection;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.IntegrationTests.Failover;

/// <summary>What a test does to a swarm while it answers.</summary>
internal sealed class Breaking(BrokenSwarm swarm, FaultInjector injector, ChatTraffic traffic, CancellationToken cancellationToken)
{
    public ChatTraffic Traffic => traffic;

    public CancellationToken Token => cancellationToken;

    /// <summary>Waits until every client reads, and all together have read so many more tokens.</summary>
    public async Task FlowsAsync(int tokens = 40)
    {
        await traffic.AllRead.WaitAsync(cancellationToken);
        var before = traffic.Tally.Tokens;
        while (traffic.Tally.Tokens < before + tokens)
        {
            StillInTime(!traffic.Ended.IsCompleted, $"the answers ended before they could be broken: {string.Join('\n', traffic.Problems)}");
            await Task.Delay(2, cancellationToken);
        }
    }

    /// <summary>Injects a fault, written as in a script, which must hit a worker that has sessions (or a router).</summary>
    public async Task<InjectedFault> HitAsync(string fault)
    {
        var injected = await InjectAsync(fault);
        StillInTime(injected.Place != VictimRole.Spare, $"'{fault}' hit {injected.Victim}, which had no session");
        return injected;
    }

    /// <summary>Injects a fault, written as in a script, on whomever.</summary>
    public async Task<InjectedFault> InjectAsync(string fault)
    {
        var plan = swarm.Processes.Plan;
        var parsed = FaultScript.Parse($"at 0 {fault}", fault, [.. plan.Workers.Select(static worker => worker.Id)], plan.Stages).Single();
        InjectedFault? injected;
        while ((injected = await injector.InjectAsync(parsed, cancellationToken)) is null)
        {
            // Answers that are between two paths have nobody in some role for a moment.
            StillInTime(!traffic.Ended.IsCompleted, $"nobody was there for '{fault}'");
            await Task.Delay(10, cancellationToken);
        }

        StillInTime(!traffic.Ended.IsCompleted, $"all answers had ended before '{fault}'");
        return injected;
    }

    /// <summary>Waits until a worker has sessions.</summary>
    public async Task<WorkerView> UntilBusyAsync(Func<WorkerView, bool> which)
    {
        while (true)
        {
            if ((await swarm.Processes.ViewAsync(cancellationToken)).FirstOrDefault(worker => worker is { IsUp: true, Sessions: > 0 } && which(worker)) is { } found)
            {
                return found;
            }

            StillInTime(!traffic.Ended.IsCompleted, "the answers ended before the worker had any session");
            await Task.Delay(2, cancellationToken);
        }
    }

    /// <summary>What the test needs of the moment; if it has passed, all is tried again.</summary>
    public static void StillInTime(bool condition, string problem)
    {
        if (!condition)
        {
            throw new TooLateException(problem);
        }
    }
}
