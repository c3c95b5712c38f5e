using System.Diagnostics;
using Parallax.Runtime.Execution;

namespace Parallax.PipelineBenchmark.Simulation;

/// <summary>Decode steps: each row is a session's; all share the KV of a beginning, each has the last block for itself.</summary>
internal sealed class DecodeSteps
{
    private const int LeastRepetitions = 15;

    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(1);

    private readonly ModelShard[] _shards;
    private readonly int _position;
    private readonly StepBatch _batch = new();
    private readonly int[][][][] _tables;

    public DecodeSteps(ModelShard[] shards, int position, int sessions)
    {
        _shards = shards;
        _position = position;
        var blocks = (position / KvGroup.BlockTokens) + 1;
        _tables = [.. shards.Select(shard => Enumerable.Range(0, sessions).Select(session => shard.KvGroups.Select(_ =>
            Enumerable.Range(0, blocks).Select(block => block == blocks - 1 ? block + session : block).ToArray()).ToArray()).ToArray())];

        // The beginning, and each session's part of its last block; the row after these is the one that is measured.
        Fill(session: 0, start: 0);
        for (var session = 1; session < sessions; session++)
        {
            Fill(session, (blocks - 1) * KvGroup.BlockTokens);
        }
    }

    /// <summary>
    /// Milliseconds per shard: the least, and of processor time, because other programs on the machine only add, and take
    /// turns with every step that is longer than a time slice.
    /// </summary>
    public double[] Measure(int rows)
    {
        var times = _shards.Select(static _ => new List<double>()).ToArray();
        for (var began = Stopwatch.StartNew(); began.Elapsed < LeastTime || times[0].Count < LeastRepetitions;)
        {
            Step(rows, times);
        }

        return [.. times.Select(static list => list.Min())];
    }

    private void Fill(int session, int start)
    {
        if (start < _position)
        {
            int[] tokens = [.. Enumerable.Range(start, _position - start).Select(static i => 3 + (i % 200))];
            Run(1, (batch, tables) => batch.Add(tokens, start, tables[session], wantLastLogits: false));
        }
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
        var logits = new float[rows * _shards[0].Spec.VocabularySize];
        for (var s = 0; s < _shards.Length; s++)
        {
            _batch.Clear();
            fill(_batch, _tables[s]);
            hidden = hidden.Length > 0 ? hidden : new float[_batch.RowCount * _shards[0].Spec.HiddenSize];
            var size = _shards[s].HasHead ? _batch.LogitRows.Count * _shards[s].Spec.VocabularySize : 0;
            var began = Environment.CpuUsage.TotalTime;
            _shards[s].Forward(_batch, hidden, logits.AsSpan(0, size));
            times?[s].Add((Environment.CpuUsage.TotalTime - began).TotalMilliseconds);
        }
    }
}
