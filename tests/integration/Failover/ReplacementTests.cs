using Parallax.Cli.Chaos.Processes;
using Parallax.Contracts.Identifiers;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Failover;

/// <summary>Who takes over where there is no worker of the same range at hand.</summary>
[Collection(FailoverCollection.Name)]
public sealed class ReplacementTests
{
    private static string Demo => DemoModelFixture.ModelPath;

    [Fact]
    public async Task Worker_KilledAndBackUnderItsId_GoesOn()
    {
        await using var swarm = await BrokenSwarm.StartAsync(SwarmPlan.Cut(Demo, stages: 3, spares: 0));
        foreach (var victim in new[] { "head", "middle", "tail" })
        {
            await swarm.AnswersAsync(async breaking =>
            {
                await breaking.FlowsAsync();
                await breaking.HitAsync($"kill {victim} restart 200ms");
            });
        }
    }

    [Fact]
    public async Task Worker_KilledForGood_AnswersWaitForASpareThatComesLater()
    {
        var plan = SwarmPlan.Cut(Demo, stages: 3, spares: 0);
        plan = plan with { Workers = [.. plan.Workers, new PlannedWorker("late", 1, plan.Workers[1].Layers, IsAbsent: true)] };
        await using var swarm = await BrokenSwarm.StartAsync(plan);
        await swarm.AnswersAsync(async breaking =>
        {
            await breaking.FlowsAsync();
            await breaking.HitAsync("kill middle restart never");
            await breaking.Traffic.CommentedAsync.WaitAsync(breaking.Token); // clients are told that their answers wait
            await swarm.Processes.Worker("late").StartAsync(breaking.Token);
        });
    }

    [Fact]
    public async Task Worker_OfTheWholeModel_IsReplaced()
    {
        await using var swarm = await BrokenSwarm.StartAsync(SwarmPlan.Cut(Demo, stages: 1, spares: 1));
        await swarm.AnswersAsync(async breaking =>
        {
            await breaking.FlowsAsync();
            await breaking.HitAsync("kill head");
        });
    }

    [Fact]
    public async Task Worker_WhoseLayersTwoOthersCoverTogether_IsReplacedByBoth()
    {
        await using var swarm = await BrokenSwarm.StartAsync(new SwarmPlan(Demo,
        [
            new PlannedWorker("a", 0, new LayerRange(0, 2)), new PlannedWorker("b", 1, new LayerRange(2, 6)), new PlannedWorker("c", 2, new LayerRange(6, 8)),
            new PlannedWorker("b1", 1, new LayerRange(2, 4)), new PlannedWorker("b2", 1, new LayerRange(4, 6)),
        ]));
        await swarm.AnswersAsync(async breaking =>
        {
            await breaking.FlowsAsync();
            await breaking.HitAsync("kill b restart never");
            await breaking.UntilBusyAsync(static worker => worker.Id == "b1");
            await breaking.UntilBusyAsync(static worker => worker.Id == "b2");
        });
    }
}
