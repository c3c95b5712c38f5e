using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;
using Parallax.Scheduler.Grpc;
using Parallax.Scheduler.Planning;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.UnitTests.Scheduler;

/// <summary>Requests and records that come over a wire.</summary>
public class SchedulerMappingTests
{
    [Fact]
    public void Model_ComesThrough()
    {
        var wire = Wire("m", 3);
        wire.Shape.Layers[1].Experts = 8;
        wire.Shape.Layers[1].ExpertsPerToken = 2;
        wire.Shape.Layers[1].ExpertBytes = 5;
        wire.Shape.Layers[2].Window = 512;

        var problems = new List<string>();
        var model = SchedulerMapping.Model(wire, problems)!;

        Assert.Empty(problems);
        Assert.Equal((2, 512, 4096), (model.Shape.Layers[1].Experts!.PerToken, model.Shape.Layers[2].Window, model.KvTokens));
        Assert.Equal(wire.Shape, ModelShapes.ToWire(model.Shape, model.CanChat));
        Assert.Equal((4096, 16, 3), (model.ToDemand([]).KvTokens, model.ToDemand([]).Batch, model.ToDemand([]).MaxPipelines));
    }

    [Fact]
    public void Model_Nonsense_NamesAllThatIsWrong()
    {
        var wire = Wire("", 2);
        wire.Shape.WeightsHash = "xyz";
        wire.Shape.Layers[1].WeightBytes = -1;
        wire.Shape.HeadFlops = double.NaN;
        wire.KvTokens = -1;
        wire.Pins.Add(new PlannedShard());

        var problems = new List<string>();
        Assert.Null(SchedulerMapping.Model(wire, problems));

        foreach (var field in new[] { "name", "weights_hash", "layers[1].weight_bytes", "head_flops", "kv_tokens", "pins" })
        {
            Assert.Contains(problems, problem => problem.Contains(field, StringComparison.Ordinal));
        }

        Assert.Null(SchedulerMapping.Model(new PlannedModel(), problems));
        Assert.Null(SchedulerMapping.Model(null, problems));
    }

    [Fact]
    public void Pins_AreReadOrNamedAsWrong()
    {
        var wire = Wire("m", 4);
        Assert.Null(SchedulerMapping.Pins(wire, areReplaced: false));
        Assert.Empty(SchedulerMapping.Pins(wire, areReplaced: true)!.Value);

        wire.Pins.Add(new PlannedShard { WorkerId = "w", LayerStart = 1, LayerEnd = 3 });
        var problems = new List<string>();
        Assert.NotNull(SchedulerMapping.Model(wire, problems));
        Assert.Equal([new Assignment("w", "m", Range(1, 3))], SchedulerMapping.Pins(wire, areReplaced: false)!.Value);

        wire.Pins.Add(new PlannedShard { WorkerId = "w", LayerStart = 0, LayerEnd = 1 });
        wire.Pins.Add(new PlannedShard { WorkerId = "v", Model = "n" });
        wire.Pins.Add(new PlannedShard { WorkerId = "u", WeightsHash = "beef" });
        Assert.Null(SchedulerMapping.Model(wire, problems));
        Assert.Contains(problems, static problem => problem.Contains("once", StringComparison.Ordinal));
        Assert.Contains(problems, static problem => problem.Contains("'v'", StringComparison.Ordinal));
        Assert.Contains(problems, static problem => problem.Contains("'u'", StringComparison.Ordinal));
    }

    [Fact]
    public void Stamp_TellsCommandsApart()
    {
        var problems = new List<string>();
        var one = SchedulerMapping.Stamp("c", new RetireRequest { CommandId = "c", Model = "m" }, problems);

        Assert.Equal(one, SchedulerMapping.Stamp("c", new RetireRequest { CommandId = "c", Model = "m" }, problems));
        Assert.NotEqual(one, SchedulerMapping.Stamp("c", new RetireRequest { CommandId = "c", Model = "n" }, problems));
        Assert.Empty(problems);
        SchedulerMapping.Stamp("", new RetireRequest(), problems);
        SchedulerMapping.Stamp("a\nb", new RetireRequest(), problems);
        SchedulerMapping.Stamp(new string('c', 129), new RetireRequest(), problems);
        Assert.Equal(3, problems.Count);
    }

    [Fact]
    public void Hypothesis_IsOnTopOfWhatIs()
    {
        var story = new Story { Swarm = Of(OneWorker(1, 8), OneWorker(2, 8)) };
        story.When(stamp => new DeployModel(stamp, Model("m", 8)));
        var problems = new List<string>();
        var request = new WhatIfRequest { RemoveWorkers = { Id(1) }, AddWorkers = { Record(3, 16) }, Deploy = { Wire("n", 4) }, Retire = { "m" } };

        var (state, swarm) = SchedulerMapping.Hypothesis(request, story.State, story.Swarm, problems)!.Value;
        Assert.Equal([Id(2), Id(3)], swarm.Workers.Keys);
        Assert.Equal(["n"], state.Models.Keys);
        Assert.Equal("n: 3[0,4)", Story.Text(Planner.Plan(PlanRequest.Of(state, swarm, StallWatch.Empty), story.Context, false).Plan));

        request.WithoutSwarm = request.WithoutModels = true;
        Assert.Null(SchedulerMapping.Hypothesis(request, story.State, story.Swarm, problems));
        Assert.Equal(2, problems.Count); // nobody to remove, nothing to retire
    }

    [Fact]
    public void Record_ThatCannotBeUsed_SaysWhy()
    {
        Rejected("worker_id", static record => record.WorkerId = "w1");
        Rejected("worker_id", static record => record.WorkerId = record.WorkerId.Replace('0', 'A'));
        Rejected("device", static record => record.Device = null);
        Rejected("memory", static record => record.Device.MemoryBytes = -1);
        Rejected("memory", static record => record.Device.MemoryBytes = long.MaxValue);
        Rejected("tflops", static record => record.Device.Tflops = double.NaN);
        Rejected("tflops", static record => record.Device.Tflops = 0);
        Rejected("bandwidth", static record => record.Device.BandwidthGbps = double.PositiveInfinity);
        Rejected("phase", static record => record.Phase = WorkerPhase.Unspecified);
        Rejected("phase", static record => record.Phase = (WorkerPhase)99);
        Rejected("shard", static record => record.Shards.Add(new ServingShard()));
        Rejected("shard", static record => record.Shards.Add(Shard("m", 5, 5, 8)));
        Rejected("shard", static record => record.Shards.Add(Shard("m", 5, 9, 8)));
        Rejected("round trip", static record => record.Rtts.Add(new PeerRtt { WorkerId = "x", Milliseconds = -1 }));
        Rejected("intent", static record => record.Intent = new Intent { Model = "m", LayerStart = 3, LayerEnd = 1 });
        Rejected("failure_domain", static record => record.Device.FailureDomain = new string('x', 1000));

        static void Rejected(string field, Action<WorkerRecord> spoil)
        {
            var record = Record(10, 8);
            spoil(record);
            Assert.Null(WorkerRecords.Read(record, out var problem));
            Assert.Contains(field, problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Record_IsACluster()
    {
        var record = Record(1, 8, Shard("m", 0, 8, 8), Shard("m", 0, 4, 8, ShardState.Draining));
        record.Device.Region = "r";
        record.Shards[0].DecodeSteps.Add(new StepTime { Batch = 4, Milliseconds = 2.5 });
        record.Shards[0].DecodeSteps.Add(new StepTime { Batch = 8, Milliseconds = double.NaN });
        record.Rtts.Add([new PeerRtt { WorkerId = Id(2), Milliseconds = 3 }, new PeerRtt { WorkerId = Id(9), Milliseconds = 4 }]);
        record.Unreachable.Add([Id(2), "nobody"]);
        var view = View(record);
        Assert.Equal(Range(0, 8), Assert.Single(view.Shards).Range);

        var cluster = WorkerRecords.ToSnapshot([OneWorker(2, 4), view], static worker => worker.Id == Id(2));

        Assert.Equal([(Id(1), 800L, false), (Id(2), 400L, true)], cluster.Nodes.Select(static node => (node.Id, node.MemoryBytes, node.IsDraining)));
        Assert.Equal(new Parallax.Placement.MeasuredStep("m", Range(0, 8), 4, 2.5), Assert.Single(cluster.Nodes[0].Measured));
        Assert.Equal(3, Assert.Single(cluster.RoundTrips).Value);
        Assert.Equal((Id(1), Id(2)), Assert.Single(cluster.Unreachable));
        Assert.Equal("r", cluster.Nodes[0].Region);
    }

    private static PlannedModel Wire(string name, int layers) => new()
    {
        Shape = ModelShapes.ToWire(Shape(name, layers), canChat: true),
        Residual = NumericClass.Types.Residual.Bf16,
        KvTokens = 4096,
        MaxBatch = 16,
        MaxPipelines = 3,
    };
}
