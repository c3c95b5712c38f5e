using Parallax.Contracts.Identifiers;
using Parallax.Placement;
using Parallax.Placement.Costs;
using Parallax.Placement.Records;
using Parallax.Testing.Placement;

namespace Parallax.UnitTests.Placement;

public sealed class CostTests
{
    private const long Mebi = 1 << 20;

    [Fact]
    public void Need_WholeModel_CountsTiedEndsOnce()
    {
        var demand = TestClusters.Demand(4, 300);
        Assert.Equal(4600, Costs(demand).Need(new LayerRange(0, 4), 1).Total);
        Assert.Equal(4300, Costs(demand with { Shape = demand.Shape with { IsTied = true } }).Need(new LayerRange(0, 4), 1).Total);
        Assert.Equal(2300, Costs(demand).Need(new LayerRange(0, 2), 1).Total);
        Assert.Equal(2300, Costs(demand).Need(new LayerRange(2, 4), 1).Total);
        Assert.Equal(2000, Costs(demand).Need(new LayerRange(1, 3), 1).Total);
    }

    [Fact]
    public void Need_KvByDemand_IsBoundedByWindows()
    {
        var shape = TestClusters.Model(2) with
        {
            Layers = [new LayerShape(1000, 10, 0), new LayerShape(1000, 10, 0) { Window = 8 }],
            ScratchBytes = 77,
        };
        var need = Costs(new ModelDemand(shape) { KvTokens = 100, Batch = 4 }).Need(new LayerRange(0, 2), 1);
        Assert.Equal(new MemoryNeed(2000, 2000 + (10 * 100) + (10 * 8 * 4) + 77), need);
    }

    [Fact]
    public void Need_OtherPrecisionOnTheNode_ScalesLayersAlone() =>
        Assert.Equal(300 + 500, Costs(TestClusters.Demand(4, 300)).Need(new LayerRange(0, 2), 0.25).Total);

    [Fact]
    public void Capacity_MemoryForKv_IsNotMemoryForWeights()
    {
        var demand = new ModelDemand(TestClusters.Model(10) with { Layers = [.. Enumerable.Repeat(new LayerShape(1000, 1, 0), 10)] }) { KvTokens = 500 };
        Assert.Equal(4, LayerCapacity.Of(demand, TestClusters.Node("a", 6)).Plain); // 1500 bytes each
        Assert.Equal(2, LayerCapacity.Of(demand, TestClusters.Node("a", 6) with { WeightBytesLimit = 2500 }).Plain);
    }

    [Fact]
    public void LoadBytes_PartlyHeld_IsWhatIsMissing()
    {
        var costs = Costs(TestClusters.Demand(10, 300));
        var room = new NodeRoom(TestClusters.Node("a", 20), 0);
        Assert.Equal(3300, costs.LoadBytes(room, null, new LayerRange(0, 3)));
        Assert.Equal(1000, costs.LoadBytes(room, new LayerRange(0, 2), new LayerRange(0, 3)));
        Assert.Equal(1300, costs.LoadBytes(room, new LayerRange(1, 3), new LayerRange(0, 3)));
        Assert.Equal(8300, costs.LoadBytes(room, new LayerRange(0, 2), new LayerRange(0, 10)));
        Assert.Equal(0, costs.LoadBytes(room, new LayerRange(0, 10), new LayerRange(2, 10)));
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 7.875)] // 128 (1 - (1 - 4/128)^2)
    [InlineData(100_000, 128)]
    public void ExpectedExperts_Batch_IsWhatIndependentTokensTouch(int tokens, double expected) =>
        Assert.Equal(expected, ExpectedExperts.Of(new ExpertShape(128, 4, 1), tokens), 9);

    [Fact]
    public void Time_Layers_IsTheGreaterOfComputeAndMemory()
    {
        var shape = TestClusters.Model(10) with { Layers = [.. Enumerable.Repeat(new LayerShape(100 * Mebi, 0, 2e9), 10)] };
        var costs = Costs(new ModelDemand(shape) { Batch = 8, Context = 0 });
        // 3 layers of 8 rows: 48 GFLOP; 300 MiB.
        Assert.Equal(4.8, costs.BatchMilliseconds(Room(10, 1000), new LayerRange(2, 5)), 9);
        Assert.Equal(3.145728, costs.BatchMilliseconds(Room(1000, 100), new LayerRange(2, 5)), 9);
        Assert.Equal(3.145728, costs.SingleMilliseconds(Room(10, 100), new LayerRange(2, 5)), 9);
    }

    [Fact]
    public void Time_LongContext_CountsKvAndAttention()
    {
        var shape = TestClusters.Model(2) with { Layers = [.. Enumerable.Repeat(new LayerShape(0, 1000, 0) { FlopsPerContextToken = 1e6 }, 2)] };
        var costs = Costs(new ModelDemand(shape) { Batch = 4, Context = 1000 });
        Assert.Equal(8, costs.BatchMilliseconds(Room(1e6, 1), new LayerRange(0, 2)), 9);   // 8 MB
        Assert.Equal(8, costs.BatchMilliseconds(Room(1, 1e6), new LayerRange(0, 2)), 9);   // 8 GFLOP
    }

    [Fact]
    public void Time_Tail_HasTheHeadOnTopBoundByWhicheverIsSlower()
    {
        // As on a CPU: layers are bound by memory, the head of a batch by compute.
        var shape = TestClusters.Model(2) with { Layers = [.. Enumerable.Repeat(new LayerShape(10_000_000, 0, 1e6), 2)], HeadBytes = 10_000_000, HeadFlops = 1e9 };
        var costs = Costs(new ModelDemand(shape) { Batch = 8, Context = 0 });
        Assert.Equal(1, costs.BatchMilliseconds(Room(0.1, 10), new LayerRange(0, 1)), 9);
        Assert.Equal(1 + 80, costs.BatchMilliseconds(Room(0.1, 10), new LayerRange(1, 2)), 9);
    }

    [Fact]
    public void Time_Measured_ReplacesTheEstimateAndScalesByLayers()
    {
        var costs = Costs(new ModelDemand(TestClusters.Model(10)) { Batch = 8, Context = 0 });
        var node = TestClusters.Node("a", 10) with
        {
            Measured = [new MeasuredStep("m", new LayerRange(0, 4), 8, 20), new MeasuredStep("m", new LayerRange(0, 4), 1, 3), new MeasuredStep("other", new LayerRange(0, 4), 8, 999)],
        };
        var room = new NodeRoom(node, 0);
        Assert.Equal(20, costs.BatchMilliseconds(room, new LayerRange(0, 4)));
        Assert.Equal(10, costs.BatchMilliseconds(room, new LayerRange(4, 6)), 9);
        Assert.Equal(3, costs.SingleMilliseconds(room, new LayerRange(0, 4)));
    }

    [Fact]
    public void Shape_ThereAndBack_IsTheSame()
    {
        var shape = TestClusters.DefectModel(3).Shape with { ScratchBytes = 5, ContextLimit = 4096, WeightsHash = "ab", ManifestHash = "cd" };
        shape = shape with { Layers = shape.Layers.SetItem(1, new LayerShape(5, 6, 7) { Window = 8, FlopsPerContextToken = 9 }) };
        var back = ModelShapes.FromWire(ModelShapes.ToWire(shape, canChat: true));
        Assert.Equal(shape.Layers, back.Layers);
        Assert.Equal(shape with { Layers = [] }, back with { Layers = [] });
    }

    private static ModelCosts Costs(ModelDemand demand) => new(demand);

    private static NodeRoom Room(double tflops, double bandwidth) => new(new PlacementNode("a", 1L << 40, tflops, bandwidth), 0);
}
