using Parallax.Placement;
using Parallax.Placement.Records;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.UnitTests.Placement;

/// <summary>Pins beside nodes that leave.</summary>
public sealed class PinnedStageTests
{
    [Fact]
    public void Pin_ThatGoesOnWithANodeThatDrains_StandsAtOnePlace()
    {
        // Nobody else has the second half, so the node that leaves goes on; the pin is a stage then, and no copy beside it.
        var cluster = WorkerRecords.ToSnapshot([OneWorker(1, 4), OneWorker(2, 4, Shard("m", 4, 8, 8))], static worker => worker.Id == Id(2));
        Assignment pin = new(Id(1), "m", Range(0, 4));
        Assignment held = new(Id(2), "m", Range(4, 8));
        var demand = new ModelDemand(Shape("m", 8)) { KvTokens = 0, Pins = [pin] };

        var next = Allocator.Replan([demand], cluster, [pin, held], new AllocationOptions());

        Assert.Empty(PlanCheck.Violations([demand], cluster, next.Plan));
        Assert.Equal([pin, held], Assert.Single(next.Plan.Pipelines).Stages);
        Assert.Empty(next.Plan.Replicas);
        Assert.Empty(next.Moves);
    }
}
