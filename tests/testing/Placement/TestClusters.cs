using System.Collections.Immutable;
using Parallax.Placement;

namespace Parallax.Testing.Placement;

/// <summary>Models and machines whose capacities are plain numbers of layers.</summary>
public static class TestClusters
{
    /// <summary>Bytes of a layer of <see cref="Model"/>.</summary>
    public const long LayerBytes = 1000;

    /// <summary>A model of equal layers; the ends take as many bytes as given.</summary>
    public static ModelShape Model(int layers, long ends = 0, string name = "m", bool tied = false) => new(
        name, "", [.. Enumerable.Repeat(new LayerShape(LayerBytes, 0, 1e9), layers)], ends, ends, tied, 0, 1024);

    /// <summary>A demand without KV.</summary>
    public static ModelDemand Demand(int layers, long ends = 0, string name = "m") => new(Model(layers, ends, name)) { KvTokens = 0 };

    /// <summary>A node with room for so many layers, and a few bytes.</summary>
    public static PlacementNode Node(string id, double layers, double tflops = 10, double bandwidth = 100) =>
        new(id, (long)(layers * LayerBytes), tflops, bandwidth);

    /// <summary>Nodes n0, n1, ... with room for so many layers each.</summary>
    public static ClusterSnapshot Nodes(params double[] layers) =>
        ClusterSnapshot.Of([.. layers.Select(static (room, i) => Node($"n{i}", room))]);

    /// <summary>
    /// The model and the machines of the listed defects: a80 13/13/13/12 layers (plain, embedding, head, both), a40 6/6/6/5,
    /// 5090 5/4/4/4, 4090 4/3/3/3, x138 23/22/22/22, t2 none.
    /// </summary>
    public static ModelDemand DefectModel(int layers) => new(new ModelDescription
    {
        Name = "oss-test",
        Layers = layers,
        HiddenSize = 2880,
        IntermediateSize = 2880,
        Heads = 64,
        KvHeads = 8,
        HeadSize = 64,
        HeadDim = (64, 64),
        VocabularySize = 201_088,
        Experts = (128, 4, 2880),
        ParameterBytes = 1,
    }.ToShape())
    { KvTokens = 0 };

    /// <summary>A machine of the listed defects: half of its memory is for weights.</summary>
    public static PlacementNode Machine(string id, double gigabytes, double tflops, double bandwidth) =>
        new(id, (long)(gigabytes * (1L << 30)), tflops, bandwidth) { WeightBytesLimit = (long)(gigabytes * (1L << 30) / 2) };

    public static PlacementNode A80(string id) => Machine(id, 80, 312, 2039);

    public static PlacementNode A40(string id) => Machine(id, 40, 149.7, 696);

    public static PlacementNode Rtx5090(string id) => Machine(id, 32, 104.8, 1792);

    public static PlacementNode Rtx4090(string id) => Machine(id, 24, 82.6, 1008);

    public static PlacementNode X138(string id) => Machine(id, 138, 312, 2039);

    public static PlacementNode T2(string id) => Machine(id, 2, 8, 100);

    /// <summary>Z of a plan's pipelines of a model.</summary>
    public static double Z(AllocationPlan plan, string model)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var pipelines = plan.Pipelines.Where(pipeline => pipeline.Model == model).ToImmutableArray();
        var stages = pipelines.Sum(static pipeline => pipeline.Stages.Length);
        return stages == 0 ? 0 : (double)pipelines.Length * pipelines.Length / stages;
    }
}
