namespace Parallax.IntegrationTests.Swarm;

/// <summary>The scheduler dies while the swarm answers.</summary>
[Collection(SwarmWaitsCollection.Name)]
public sealed class SchedulerLossTests
{
    [Fact]
    public async Task Founder_KilledAndStartedAgain_ChangesNothingForClientsOfAnotherRouter()
    {
        // The founder's worker has no room for a layer: what dies with it is the scheduler, a router, and the swarm's key.
        string[] options = ["--memory", "4MiB"];
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, options);
        await swarm.AdmitAsync("third");
        var first = await swarm.JoinAsync("first");
        var second = await swarm.JoinAsync("second");
        var standby = await swarm.SchedulerAsync("standby");
        var http = await swarm.RouterAsync("router");
        await swarm.UntilServingAsync(first);
        await swarm.UntilServingAsync(second);
        await swarm.ReadyAsync(http);
        var traffic = await Traffic.BeginAsync(http, [.. Enumerable.Range(0, 4).Select(static seed => new Story("demo", seed, 150))]);
        var term = (await swarm.Founder.StatusAsync()).Plan.Term;

        await swarm.Founder.KillAsync();

        await swarm.UntilAsync(first, "the standby leads", all => all.Plan.Term > term && all.Plan.Scheduler == standby.Id && !all.PlanExpired);
        var third = await swarm.JoinAsync("third", at: first.Address);
        await swarm.UntilServingAsync(third, observer: first);
        await traffic.FlowsAsync();

        swarm.StartFounder(options);
        await swarm.Founder.LineAsync(" is founded");
        await swarm.UntilAsync("the founder finds all others", static all => all.Workers.Count == 4 && !all.PlanExpired);
        await swarm.UntilAsync(third, "the others find the founder", static all => all.Workers.Count == 4);
        await traffic.FlowsAsync();
        await traffic.EndAsync(swarm);
    }
}
