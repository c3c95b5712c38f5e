using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Failover;

/// <summary>Faults at random, with fixed seeds: nothing is lost, changed, stuck or left behind.</summary>
[Collection(FailoverCollection.Name)]
public sealed class RandomFaultsTests
{
    [Theory]
    [InlineData(1, 20, "kill", 1.5)]
    [InlineData(2, 15, "kill,pause,slow,drop,corrupt,partition", 1.0)]
    public async Task Faults_AtRandom_LoseNothing(int seed, int faults, string kinds, double rate)
    {
        var swarm = SwarmPlan.Cut(DemoModelFixture.ModelPath, stages: 3, spares: 1) with { WithRelays = kinds != "kill" };
        var plan = new FaultPlan(
            (ulong)seed, rate, [.. kinds.Split(',').Select(static word => Names.Parse<FaultKind>(word)!.Value)],
            [new Victim(VictimRole.Head), new Victim(VictimRole.Middle), new Victim(VictimRole.Tail)], swarm.Stages);
        var run = new ChaosRun(
            new ChaosPlan(swarm, new TrafficSettings { Clients = 4, StuckAfter = TimeSpan.FromMinutes(3) }, FaultSchedule.Draw(plan))
            {
                // The whole model in one process: another cut.
                Reference = SwarmPlan.Cut(DemoModelFixture.ModelPath, stages: 1, spares: 0),
                MostFaults = faults,
                AnswerTokens = 160,
                RestartAfter = TimeSpan.FromMilliseconds(300),
                Seed = (ulong)seed,
            },
            TimeProvider.System,
            new Progress<string>());
        var report = await run.RunAsync(TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(report.ToText());
        Assert.True(report.IsGood, report.ToText());
        Assert.Equal(faults, report.Faults);
        Assert.True(report.Tally.Complete >= 4, report.ToText());
    }
}
