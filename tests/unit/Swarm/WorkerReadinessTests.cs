using Parallax.Contracts.V1;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.UnitTests.Swarm;

public sealed class WorkerReadinessTests
{
    [Fact]
    public void A_worker_that_serves_or_stands_by_is_ready()
    {
        Assert.Null(WorkerReadiness.WhyNotReady(Worker(WorkerPhase.Serving, ShardState.Serving)));
        Assert.Null(WorkerReadiness.WhyNotReady(Worker(WorkerPhase.Loading, ShardState.Loading, ShardState.Serving)));
        Assert.Null(WorkerReadiness.WhyNotReady(Worker(WorkerPhase.Standby)));
    }

    [Fact]
    public void Whoever_does_not_do_its_part_says_why()
    {
        Assert.Equal("Its swarm does not know it yet.", WorkerReadiness.WhyNotReady(null));
        Assert.Equal("It leaves.", WorkerReadiness.WhyNotReady(Worker(WorkerPhase.Draining, ShardState.Serving)));
        Assert.Equal("It loads layers.", WorkerReadiness.WhyNotReady(Worker(WorkerPhase.Loading, ShardState.Loading)));
        Assert.Equal("It is joining its swarm.", WorkerReadiness.WhyNotReady(Worker(WorkerPhase.Serving)));
        Assert.Equal("It is joining its swarm.", WorkerReadiness.WhyNotReady(Worker(WorkerPhase.Unspecified)));

        var stuck = Worker(WorkerPhase.Standby);
        stuck.Problem = "no room";
        Assert.Equal("It serves nothing: no room", WorkerReadiness.WhyNotReady(stuck));
    }

    private static WorkerRecord Worker(WorkerPhase phase, params IEnumerable<ShardState> shards)
    {
        var record = new WorkerRecord { Phase = phase };
        record.Shards.Add(shards.Select(static state => new ServingShard { State = state }));
        return record;
    }
}
