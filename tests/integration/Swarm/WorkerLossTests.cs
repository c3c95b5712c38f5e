using Parallax.Contracts.V1;
using Parallax.Testing.Members;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>Workers that die, fall silent, and come back.</summary>
[Collection(SwarmWaitsCollection.Name)]
public sealed class WorkerLossTests
{
    [Fact]
    public async Task Worker_KilledAndStartedAgain_IsTheSameMemberOnce()
    {
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, []);
        var http = await swarm.ServingAsync();
        var worker = await swarm.JoinAsync("worker");
        var before = await swarm.UntilServingAsync(worker);

        await worker.KillAsync();
        worker = await swarm.JoinAsync("worker");

        var after = await swarm.UntilServingAsync(worker, incarnation: before.Incarnation + 1);
        Assert.Equal(before.WorkerId, after.WorkerId);
        Assert.Equal(worker.Id, after.WorkerId);
        Assert.Single((await swarm.Founder.StatusAsync()).Workers, one => one.WorkerId == before.WorkerId);
        await ServesAsync(swarm, http, worker);
    }

    [Fact]
    public async Task Worker_Silent_IsGoneFromStatusAndRoutingUntilItSpeaks()
    {
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, []);
        var http = await swarm.ServingAsync();
        var ghost = await swarm.JoinAsync("ghost");
        await swarm.UntilServingAsync(ghost);
        await ServesAsync(swarm, http, ghost);

        await ghost.SignalAsync("-STOP");

        var status = await swarm.UntilAsync("the silent worker is gone", all => all.Workers.All(worker => worker.Name != ghost.Name));
        Assert.Contains(status.Links, link => link.WorkerId == ghost.Id && link.State == "dead");
        var (json, code) = await swarm.CommandAsync("status", "--json", "--state", swarm.Founder.State);
        Assert.True(code == 0, json);
        Assert.DoesNotContain(SwarmStatus.Parser.ParseJson(json).Workers, worker => worker.WorkerId == ghost.Id);
        await swarm.UntilAsync("the router has let it go", () => Task.FromResult(swarm.Founder.Lines.Any(
            line => line.Contains(ghost.Id, StringComparison.Ordinal) && line.Contains("has left the swarm", StringComparison.Ordinal))));
        var traffic = await Traffic.BeginAsync(http, [.. Enumerable.Range(0, 8).Select(static seed => new Story("demo", seed, 50))]);
        await traffic.EndAsync(swarm);

        await ghost.SignalAsync("-CONT");

        await swarm.UntilServingAsync(ghost);
        await ServesAsync(swarm, http, ghost);
    }

    /// <summary>A worker computes some of many requests, and all of them are as they were.</summary>
    private static async Task ServesAsync(SwarmProcesses swarm, HttpClient http, MemberProcess worker)
    {
        var traffic = await Traffic.BeginAsync(http, [.. Enumerable.Range(0, 8).Select(static seed => new Story("demo", seed, 150))]);
        await swarm.UntilAsync($"{worker.Name} has sessions", all => JoinTests.Sessions(all, worker) > 0);
        await traffic.EndAsync(swarm);
    }
}
