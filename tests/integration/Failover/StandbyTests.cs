using Parallax.Cli.Chaos.Processes;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Failover;

/// <summary>Workers that stand by have the state of the stage that they take over: all three stages keep theirs.</summary>
[Collection(FailoverCollection.Name)]
public sealed class StandbyTests
{
    [Fact]
    public async Task Worker_KilledWithAStandby_IsReplacedByItWithoutARefill()
    {
        await using var swarm = await BrokenSwarm.StartAsync(
            SwarmPlan.Cut(DemoModelFixture.ModelPath, stages: 3, spares: 1) with { RouterOptions = ["--standby", "1"] });
        foreach (var victim in new[] { "head", "middle", "tail" })
        {
            await swarm.AnswersAsync(async breaking =>
            {
                await breaking.FlowsAsync();
                await breaking.HitAsync($"kill {victim}");
            });
        }

        Assert.Contains("3 stages keep their state", swarm.Processes.Said, StringComparison.Ordinal);
    }
}
