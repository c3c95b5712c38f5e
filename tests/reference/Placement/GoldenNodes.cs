using System.Text.Json;
using Parallax.Placement;
using Parallax.Testing.Placement;

namespace Parallax.ReferenceTests.Placement;

/// <summary>Nodes of the reference data as placement sees them.</summary>
internal static class GoldenNodes
{
    public static PlacementNode Parse(JsonElement node, ModelDescription model)
    {
        // The reference divides by layer bytes, in the precision of Apple silicon there; KV has a share of its own.
        var memory = node.GetProperty("num_gpus").GetInt32() * node.GetProperty("memory_gb").GetDouble() * (1L << 30);
        return new PlacementNode(
            node.GetProperty("id").GetString()!,
            (long)memory,
            node.GetProperty("num_gpus").GetInt32() * node.GetProperty("tflops").GetDouble(),
            node.GetProperty("num_gpus").GetInt32() * node.GetProperty("bandwidth_gbps").GetDouble())
        {
            WeightBytesLimit = (long)Math.Floor(memory * node.GetProperty("param_mem_ratio").GetDouble()),
            LayerWeightFactor = node.GetProperty("device").GetString() == "mlx" ? model.MlxParameterBytes / model.ParameterBytes : 1,
        };
    }

    /// <summary>The model with room for nothing but weights, as the reference's capacities count.</summary>
    public static ModelDemand Demand(ModelDescription model) => new(model.ToShape()) { KvTokens = 0 };
}
