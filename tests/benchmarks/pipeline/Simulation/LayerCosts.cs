using System.Collections.Immutable;
using System.Diagnostics;
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
    public static ImmutableArray<int> Rows { get; } = [1, 2, 4, 8, 16, 64];

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
            var steps = new DecodeSteps(shards, Position);
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

    /// <summary>Decode steps: each row is a session's; all share the KV of a beginning, each has the last block for itself.</summary>
    private sealed class DecodeSteps
    {
        private const int LeastRepetitions = 15;

        private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(0.4);

        private readonly ModelShard[] _shards;
        private readonly int _position;
        private readonly StepBatch _batch = new();
        private readonly int[][][][] _tables;

        public DecodeSteps(ModelShard[] shards, int position)
        {
            _shards = shards;
            _position = position;
            var blocks = (position / KvGroup.BlockTokens) + 1;
            _tables = [.. shards.Select(shard => Enumerable.Range(0, Rows[^1]).Select(session => shard.KvGroups.Select(_ =>
                Enumerable.Range(0, blocks).Select(block => block == blocks - 1 ? block + session : block).ToArray()).ToArray()).ToArray())];

            // The beginning, and each session's part of its last block; the last row is the one that is measured.
            Fill(0, position, 1);
            for (var session = 1; session < Rows[^1]; session++)
            {
                Fill((blocks - 1) * KvGroup.BlockTokens, position, session + 1);
            }
        }

        /// <summary>Milliseconds per shard: the lower quartile, because other programs on the machine only add.</summary>
        public double[] Measure(int rows)
        {
            var times = _shards.Select(static _ => new List<double>()).ToArray();
            for (var began = Stopwatch.StartNew(); began.Elapsed < LeastTime || times[0].Count < LeastRepetitions;)
            {
                Step(rows, times);
            }

            return [.. times.Select(static list => list.Order().ElementAt(list.Count / 4))];
        }

        private void Fill(int start, int end, int session)
        {
            if (start == end)
            {
                return;
            }

            Run(session - 1, (batch, tables) =>
                batch.Add([.. Enumerable.Range(start, end - start).Select(static i => 3 + (i % 200))], start, tables[session - 1], wantLastLogits: false));
        }

        private void Step(int rows, List<double>[] times) => Run(rows, (batch, tables) =>
        {
            for (var session = 0; session < rows; session++)
            {
                batch.Add([5 + session], _position, tables[session], wantLastLogits: true);
            }
        }, times);

        private void Run(int rows, Action<StepBatch, int[][][]> fill, List<double>[]? times = null)
        {
            float[] hidden = [];
            float[] logits = new float[Math.Max(1, rows) * _shards[0].Spec.VocabularySize];
            for (var s = 0; s < _shards.Length; s++)
            {
                _batch.Clear();
                fill(_batch, _tables[s]);
                hidden = hidden.Length > 0 ? hidden : new float[_batch.RowCount * _shards[0].Spec.HiddenSize];
                var size = _shards[s].HasHead ? _batch.LogitRows.Count * _shards[s].Spec.VocabularySize : 0;
                var began = Stopwatch.GetTimestamp();
                _shards[s].Forward(_batch, hidden, logits.AsSpan(0, size));
                times?[s].Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }
    }
}
