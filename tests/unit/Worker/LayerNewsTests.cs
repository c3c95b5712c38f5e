using Parallax.Contracts.V1;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.UnitTests.Worker;

/// <summary>What a person is told of a worker, in a line.</summary>
public sealed class LayerNewsTests
{
    [Fact]
    public void Describe_SaysWhatTheWorkerDoes()
    {
        Assert.Equal("ready, waiting for layers", LayerNews.Describe(Record(WorkerPhase.Standby)));
        Assert.Equal("loading m layers 0-4 of 8", LayerNews.Describe(Record(WorkerPhase.Loading, Shard(ShardState.Loading, 0, 4))));
        Assert.Equal("serving m layers 0-4 of 8", LayerNews.Describe(Record(WorkerPhase.Serving, Shard(ShardState.Serving, 0, 4))));
        Assert.Equal(
            "loading m layers 4-8 of 8, serving m layers 0-4 of 8",
            LayerNews.Describe(Record(WorkerPhase.Loading, Shard(ShardState.Serving, 0, 4), Shard(ShardState.Loading, 4, 8))));
        Assert.Equal("leaving", LayerNews.Describe(Record(WorkerPhase.Draining, Shard(ShardState.Serving, 0, 4))));
    }

    [Fact]
    public void Describe_SaysWhatIsWrong_ButNotEachMebibyteThatIsFetched()
    {
        var record = Record(WorkerPhase.Standby);
        record.Problem = "m needs 4 GiB";
        Assert.Equal("ready, waiting for layers; m needs 4 GiB", LayerNews.Describe(record));

        record.Problem = "fetching m: 3 of 90 MiB";
        Assert.Equal("ready, waiting for layers", LayerNews.Describe(record));
    }

    private static WorkerRecord Record(WorkerPhase phase, params ServingShard[] shards)
    {
        var record = new WorkerRecord { Phase = phase };
        record.Shards.AddRange(shards);
        return record;
    }

    private static ServingShard Shard(ShardState state, int start, int end) =>
        new() { State = state, Model = new ServedModel { Name = "m", LayerStart = start, LayerEnd = end, LayerCount = 8 } };
}
