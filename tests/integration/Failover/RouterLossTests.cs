using Parallax.Cli.Chaos.Processes;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Failover;

/// <summary>A router is killed in mid-answer, and its clients ask another one for the rest.</summary>
[Collection(FailoverCollection.Name)]
public sealed class RouterLossTests
{
    [Fact]
    public async Task Router_KilledInMidAnswer_AnotherOneGivesTheRest()
    {
        await using var swarm = await BrokenSwarm.StartAsync(SwarmPlan.Cut(DemoModelFixture.ModelPath, stages: 3, spares: 0) with { Routers = 2 });
        await swarm.AnswersAsync(async breaking =>
        {
            await breaking.FlowsAsync();
            await breaking.InjectAsync("kill router");
            await breaking.FlowsAsync();
            await breaking.InjectAsync("kill router");
        });
    }
}
