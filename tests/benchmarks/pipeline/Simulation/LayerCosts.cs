using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing.Pipeline;

namespace Parallax.PipelineBenchmark.Simulation;

/// <summary>
/// What a decoder layer, the embedding and the LM head cost per step of so many rows, in milliseconds: from the times
/// of the first, the middle and the last third of a model.
/// </summary>
internal sealed record LayerCosts(
    int Layers, int RowBytes, ImmutableArray<double> Layer, ImmutableArray<double> Embedding, ImmutableArray<double> Head)
{
    /// <summary>Rows of the steps that are measured.</summary>
    public static ImmutableArray<int> Rows { get; } = [1, 2, 4, 8, 16, 32, 64];

    /// <summary>Position of the rows: as deep in a conversation as a short question and half its answer.</summary>
    private const int Position = 63;

    public static LayerCosts Measure(ModelSource model)
    {
        var layers = model.Spec.Layers.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 3, nameof(model));
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        LayerRange[] ranges = [new(0, layers / 3), new(layers / 3, 2 * layers / 3), new(2 * layers / 3, layers)];
        var shards = ranges.Select(range => ModelShard.Load(
            model.Spec,
            model.Weights,
            backend,
            new ModelShardOptions { Range = range, KvTokens = (Position + 1) * (Rows[^1] + 1), WeightsHash = model.WeightsHash })).ToArray();
        try
        {
            var steps = new DecodeSteps(shards, Position, Rows[^1]);
            var times = Rows.Select(steps.Measure).ToArray();

            // The middle third is layers and nothing else.
            var layer = times.Select(time => time[1] / ranges[1].Count).ToArray();
            return new LayerCosts(
                layers,
                model.Spec.HiddenSize * 2,
                [.. layer],
                [.. times.Select((time, i) => Math.Max(0, time[0] - (layer[i] * ranges[0].Count)))],
                [.. times.Select((time, i) => Math.Max(0, time[2] - (layer[i] * ranges[2].Count)))]);
        }
        finally
        {
            foreach (var shard in shards)
            {
                shard.Dispose();
            }
        }
    }

    /// <summary>The model cut over so many stages, so that no stage is much slower than the others.</summary>
    public ImmutableArray<StepCost> Cut(int stages)
    {
        var counts = new int[stages];
        double Cost(int stage, int layers, int rows) =>
            (layers * Layer[rows]) + (stage == 0 ? Embedding[rows] : 0) + (stage == stages - 1 ? Head[rows] : 0);

        // At four rows, about what a micro-batch has; which of equal layers a stage holds makes no difference.
        for (var i = 0; i < Layers; i++)
        {
            counts[Enumerable.Range(0, stages).MinBy(stage => Cost(stage, counts[stage] + 1, 2))]++;
        }

        return [.. counts.Select((layers, stage) => StepCost.Table(Rows.Select((rows, i) => (rows, Cost(stage, layers, i)))))];
    }
}
