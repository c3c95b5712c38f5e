using System.Collections.Immutable;
using Parallax.Testing.Pipeline;

namespace Parallax.UnitTests.Pipeline.Batching;

/// <summary>
/// The gate and the tuner in a simulated ring. That no stage idles beside work that it could do is checked by the
/// simulation itself at every event.
/// </summary>
public class PipelineSimulationTests
{
    private static readonly StepCost Equal = StepCost.Affine(4, 0.3);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Run_EqualStagesFourSessionsEach_AllAreBusy(int stages)
    {
        foreach (var perStage in new[] { 4, 5, 8 })
        {
            var report = Measure(new PipelineSetup { Stages = Stages(stages), Sessions = perStage * stages, LatencyMs = 0.1 });

            Assert.All(report.Utilisation, busy => Assert.InRange(busy, 0.85, 1.0001));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    public void Run_StepsOfVaryingLength_StagesStayBusy(int stages)
    {
        var report = Measure(new PipelineSetup { Stages = Stages(stages), Sessions = 4 * stages, LatencyMs = 0.1, Noise = 0.2 });

        Assert.All(report.Utilisation, busy => Assert.InRange(busy, 0.85, 1.0001));
    }

    [Theory]
    [InlineData(3, 12)]
    [InlineData(6, 24)]
    public void Run_UnevenStages_TheSlowestIsBusy(int stages, int sessions)
    {
        foreach (var slow in new[] { 0, stages / 2, stages - 1 })
        {
            Assert.InRange(Measure(Uneven(stages, sessions, slow, StepCost.Affine(8, 0.6))).Utilisation[slow], 0.9, 1.0001);
        }
    }

    [Theory]
    [InlineData(3, 12, 7, 0.5)]
    [InlineData(3, 12, 5, 0.4)]
    [InlineData(4, 16, 8, 0.6)]
    [InlineData(5, 20, 7, 0.5)]
    public void Run_UnevenStages_TunedIsNearlyAsGoodAsTheBestM(int stages, int sessions, double fix, double perRow)
    {
        // M is a whole number: with some ratios of the stages the best M leaves even the slowest a quarter of its time,
        // and the next larger one keeps it busy with groups so small that fewer tokens come out.
        foreach (var slow in new[] { 0, stages - 1 })
        {
            var setup = Uneven(stages, sessions, slow, StepCost.Affine(fix, perRow));

            Assert.InRange(Measure(setup).TokensPerSecond, 0.95 * BestFixed(setup), double.MaxValue);
        }
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(4, 16)]
    public void Run_StagesShareOneMachine_OneMicroBatchIsFound(int stages, int sessions)
    {
        var setup = new PipelineSetup { Stages = Stages(stages), Sessions = sessions, LatencyMs = 0.02, Cores = 1 };
        var report = Measure(setup);

        Assert.Equal(1, report.MicroBatches);
        Assert.InRange(report.TokensPerSecond, 0.95 * BestFixed(setup), double.MaxValue);
    }

    [Theory]
    [InlineData(2, 8, 0)]
    [InlineData(4, 16, 0)]
    [InlineData(4, 32, 0.1)]
    [InlineData(3, 7, 5)]
    [InlineData(6, 12, 50)]
    [InlineData(4, 32, 50)]
    public void Run_OwnMachines_TunedIsNearlyAsGoodAsTheBestM(int stages, int sessions, double latency)
    {
        var setup = new PipelineSetup { Stages = Stages(stages), Sessions = sessions, LatencyMs = latency };

        Assert.InRange(Measure(setup).TokensPerSecond, 0.95 * BestFixed(setup), double.MaxValue);
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(4, 16)]
    [InlineData(6, 24)]
    public void Run_LongPromptArrives_OthersWaitForOneMixedStepPerStage(int stages, int sessions)
    {
        var setup = new PipelineSetup { Stages = Stages(stages), Sessions = sessions, LatencyMs = 0.2 };
        var bound = GapBound(setup);
        var report = MeasurePrompt(setup);
        Assert.InRange(report.LongestGapMs, GapBound(setup) / 4, bound);

        // Without the cap on prompts' rows beside decodes it would not hold.
        Assert.InRange(MeasurePrompt(setup with { MixedPrefillTokens = 512 }).LongestGapMs, bound * 1.5, double.MaxValue);
    }

    [Fact]
    public void Run_UnevenStagesAndALongPrompt_OthersWaitForOneMixedStepPerStage()
    {
        for (var slow = 0; slow < 4; slow++)
        {
            var setup = new PipelineSetup { Stages = Stages(4).SetItem(slow, StepCost.Affine(7, 0.5)), Sessions = 16, LatencyMs = 2 };

            Assert.InRange(MeasurePrompt(setup).LongestGapMs, 0, GapBound(setup));
        }
    }

    [Fact]
    public void Run_OneSession_ComputesOneStageAtATime()
    {
        var report = Measure(new PipelineSetup { Stages = Stages(4), Sessions = 1, LatencyMs = 1 });

        // Four steps of 4.3 ms, three rows of 8 KiB at 1 GB/s, four hops of 1 ms.
        var ring = (4 * 4.3) + (3 * 0.008192) + 4;
        Assert.Equal(1000 / ring, report.TokensPerSecond, 0.1);
        Assert.Equal(ring, report.P99Ms, 1e-6);
        Assert.All(report.Utilisation, busy => Assert.Equal(4.3 / ring, busy, 0.001));
    }

    [Fact]
    public void Run_PromptOnly_UsesTheWholeBudgetAndThenDecodes()
    {
        var simulation = new PipelineSimulation(new PipelineSetup { Stages = Stages(2), Sessions = 0 });
        simulation.AddPrompt(10, 1024);
        simulation.RunUntil(5000);

        // Two steps of 512 rows at each of two stages before it decodes.
        var prefill = 10 + (3 * Equal.Ms(512)) + 20;
        Assert.InRange(simulation.Report().TokensPerSecond * 5, (5000 - prefill) / 8.7, 5000 / 8.6);
    }

    [Fact]
    public void Ms_Table_IsInterpolatedAndGoesOn()
    {
        var cost = StepCost.Table([(1, 4), (2, 5), (4, 6), (8, 10)]);

        Assert.Equal([4, 4, 5, 5.5, 8, 18], new[] { 0, 1, 2, 3, 6, 16 }.Select(cost.Ms));
        Assert.Equal(4 + (0.3 * 7), Equal.Ms(7), 1e-9);
    }

    private static PipelineSetup Uneven(int stages, int sessions, int slow, StepCost cost) =>
        new() { Stages = Stages(stages).SetItem(slow, cost), Sessions = sessions, LatencyMs = 0.2, Noise = 0.1 };

    private static ImmutableArray<StepCost> Stages(int count) => [.. Enumerable.Repeat(Equal, count)];

    /// <summary>Half a minute, after the time that the tuner has to converge.</summary>
    private static PipelineReport Measure(PipelineSetup setup)
    {
        var warm = setup.MicroBatches is null ? 90_000 : 5_000;
        var simulation = new PipelineSimulation(setup);
        simulation.RunUntil(warm);
        simulation.ResetStatistics();
        simulation.RunUntil(warm + 30_000);
        return simulation.Report();
    }

    private static PipelineReport MeasurePrompt(PipelineSetup setup)
    {
        var simulation = new PipelineSimulation(setup);
        simulation.RunUntil(20_000);
        simulation.ResetStatistics();
        for (var i = 0; i < 5; i++)
        {
            simulation.AddPrompt(20_000 + (5003 * i), 4096);
        }

        simulation.RunUntil(45_000);
        return simulation.Report();
    }

    private static double BestFixed(PipelineSetup setup) => Enumerable.Range(1, Math.Min(2 * setup.Stages.Length, setup.Sessions))
        .Max(m => Measure(setup with { MicroBatches = m }).TokensPerSecond);

    /// <summary>
    /// At each stage the step that runs when a row arrives, and its own, both with all sessions' rows and as many of the
    /// prompt's as may be; on each link a frame that is being sent, its own, and the latency.
    /// </summary>
    private static double GapBound(PipelineSetup setup)
    {
        var rows = setup.Sessions + 1 + setup.MixedPrefillTokens;
        var frame = ((256 * 1024) + (setup.Sessions * setup.RowBytes)) / setup.BytesPerMs;
        return setup.Stages.Sum(cost => (2 * cost.Ms(rows)) + frame + setup.LatencyMs);
    }
}
