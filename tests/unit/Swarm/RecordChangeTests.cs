using Parallax.Contracts.V1;
using Parallax.Swarm.Members;

namespace Parallax.UnitTests.Swarm;

/// <summary>How widely a change of a worker's record is told.</summary>
public sealed class RecordChangeTests
{
    [Fact]
    public void The_first_record_is_for_everybody() => Assert.Equal(RecordNews.Serving, RecordChange.Between(null, Record()));

    [Fact]
    public void A_renewal_is_no_news() => Assert.Equal(RecordNews.None, Between(static record => record.Sequence = 9));

    [Fact]
    public void Figures_are_for_who_asks()
    {
        Assert.Equal(RecordNews.Figures, Between(static record => record.Load = new Load { Busy = 0.5 }));
        Assert.Equal(RecordNews.Figures, Between(static record => record.Rtts.Add(new PeerRtt { WorkerId = "b", Milliseconds = 1 })));
        Assert.Equal(RecordNews.Figures, Between(static record => record.Shards[0].Sessions++));
        Assert.Equal(RecordNews.Figures, Between(static record => record.Shards[0].WaitingSessions++));
        Assert.Equal(RecordNews.Figures, Between(static record => record.Shards[0].KvTokensFree--));
        Assert.Equal(RecordNews.Figures, Between(static record => record.Shards[0].LayersLoaded++));
        Assert.Equal(RecordNews.Figures, Between(static record => record.Shards[0].PrefillMsPerToken = 2));
        Assert.Equal(RecordNews.Figures, Between(static record => record.Shards[0].DecodeSteps.Add(new StepTime { Batch = 1, Milliseconds = 3 })));
    }

    [Fact]
    public void What_requests_depend_on_is_for_everybody()
    {
        Assert.Equal(RecordNews.Serving, Between(static record => record.Phase = WorkerPhase.Draining));
        Assert.Equal(RecordNews.Serving, Between(static record => record.Addresses.Add("https://10.0.0.3:7100")));
        Assert.Equal(RecordNews.Serving, Between(static record => record.Shards.Clear()));
        Assert.Equal(RecordNews.Serving, Between(static record => record.Shards[0].State = ShardState.Draining));
        Assert.Equal(RecordNews.Serving, Between(static record => record.Follows = new PlanVersion { Term = 1, Version = 2 }));
        Assert.Equal(RecordNews.Serving, Between(static record => record.Intent = new Intent { Model = "m" }));
        Assert.Equal(RecordNews.Serving, Between(static record => record.Unreachable.Add("b")));
        Assert.Equal(RecordNews.Serving, Between(static record => record.Models.Add(new HeldModel { Name = "m" })));
    }

    [Fact]
    public void What_is_compared_stays_as_it_is()
    {
        var (before, now) = (Record(), Record());
        RecordChange.Between(before, now);
        Assert.Equal(Record(), before);
        Assert.Equal(Record(), now);
    }

    private static RecordNews Between(Action<WorkerRecord> change)
    {
        var now = Record();
        change(now);
        return RecordChange.Between(Record(), now);
    }

    private static WorkerRecord Record()
    {
        var record = new WorkerRecord { WorkerId = "a", Sequence = 1, Phase = WorkerPhase.Serving, Load = new Load() };
        record.Shards.Add(new ServingShard { Model = new ServedModel { Name = "m", LayerEnd = 4 }, State = ShardState.Serving, KvTokensFree = 10, KvTokensTotal = 20 });
        return record;
    }
}
