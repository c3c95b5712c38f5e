using Parallax.Contracts.V1;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>No scheduler is left, and a part of the model neither.</summary>
[Collection(SwarmWaitsCollection.Name)]
public sealed class WithoutSchedulerTests
{
    [Fact]
    public async Task Workers_AfterThePlanHasExpired_RestoreAFullCoverByThemselves()
    {
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, ["--memory", "4MiB", "--ctx", "512", "--max-batch", "4"]);
        await swarm.AdmitAsync("third");
        var http = await swarm.RouterAsync("router");
        var first = await swarm.JoinAsync("first", options: ["--memory", LeaveTests.Half]);
        var second = await swarm.JoinAsync("second", options: ["--memory", LeaveTests.Half]);
        await swarm.UntilServingAsync(first);
        await swarm.UntilServingAsync(second);
        await swarm.ReadyAsync(http);
        var story = new Story("demo", 3, 100);
        var before = await story.ReadAsync(http);

        await swarm.Founder.KillAsync();
        await second.KillAsync();
        var third = await swarm.JoinAsync("third", at: first.Address, options: ["--memory", LeaveTests.Half, "--model", SwarmProcesses.DemoModel]);

        await swarm.UntilAsync(first, "the workers cover all layers again", static all => all.PlanExpired && all.Workers.Count == 2
            && all.Workers.SelectMany(static worker => worker.Shards).Where(static shard => shard.State == ShardState.Serving)
                .SelectMany(static shard => Enumerable.Range(shard.Model.LayerStart, shard.Model.LayerEnd - shard.Model.LayerStart)).Distinct().Count() == 8);
        await swarm.ReadyAsync(http);
        Assert.Equal(before, await story.ReadAsync(http));
        Assert.False(third.HasExited);
    }
}
