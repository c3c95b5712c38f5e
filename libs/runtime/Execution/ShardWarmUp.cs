using System.Diagnostics;

namespace Parallax.Runtime.Execution;

/// <summary>
/// Computes a few made-up steps on a shard that nobody uses yet. The first requests then find compiled code and memory that
/// has been touched, and routers and schedulers know what the shard can do before it has done anything. Nothing of it can be
/// seen later: a session writes each KV position before it reads it.
/// </summary>
public static class ShardWarmUp
{
    private const int MostRows = 64;
    private const int LeastRounds = 3; // the code for one row is compiled in the first, that for many rows in the second
    private const int MostRounds = 32;

    /// <summary>Computes rounds of a prompt and a step of one row, at least three.</summary>
    /// <param name="shard">The shard; nobody else may compute on it meanwhile.</param>
    /// <param name="time">When it has taken this long, no further round begins; a prompt is shortened to what fits.</param>
    /// <param name="cancellationToken">Ends it between steps.</param>
    /// <returns>The shortest that each kind of step took: others waited for the compiler or for another program.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static WarmUpTimes Run(IModelShard shard, TimeSpan time, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(shard);
        var run = new Steps(shard, cancellationToken);
        var began = Stopwatch.GetTimestamp();
        var decode = run.Compute(rows: 1, at: 0); // as cheap as a step can be: it tells what a prompt may cost
        var prefill = double.MaxValue;
        for (var round = 0; round < MostRounds && (round < LeastRounds || Stopwatch.GetElapsedTime(began) < time); round++)
        {
            var rows = (int)Math.Clamp(time.TotalMilliseconds / Math.Max(decode, 0.001), 1, run.MostRows);
            prefill = Math.Min(prefill, run.Compute(rows, at: 0) / rows);
            decode = Math.Min(decode, run.Compute(rows: 1, at: rows));
        }

        shard.Rest();
        return new WarmUpTimes(Math.Min(prefill, decode), decode); // a prompt could be computed row by row
    }

    private sealed class Steps
    {
        private readonly IModelShard _shard;
        private readonly CancellationToken _cancellation;
        private readonly StepBatch _batch = new();
        private readonly int[][] _tables;
        private readonly int[] _ids;
        private readonly float[] _hidden;
        private readonly float[] _logits;

        public Steps(IModelShard shard, CancellationToken cancellation)
        {
            (_shard, _cancellation) = (shard, cancellation);
            var positions = Math.Min(shard.KvBlockCounts.Min() * KvGroup.BlockTokens, Math.Min(shard.Spec.MaxPositions, ShardWarmUp.MostRows + 1));
            MostRows = positions - 1;
            var blocks = (positions + KvGroup.BlockTokens - 1) / KvGroup.BlockTokens;
            _tables = [.. shard.KvGroups.Select(_ => Enumerable.Range(0, blocks).ToArray())];
            _ids = [.. Enumerable.Range(0, MostRows).Select(i => i % shard.Spec.VocabularySize)];
            _hidden = shard is { HasEmbedding: true, HasHead: true } ? [] : new float[MostRows * shard.Spec.HiddenSize];
            _logits = shard.HasHead ? new float[shard.Spec.VocabularySize] : [];
        }

        /// <summary>Rows of a prompt at most; there is room for one position more.</summary>
        public int MostRows { get; }

        /// <summary>Computes one step.</summary>
        /// <returns>Milliseconds.</returns>
        public double Compute(int rows, int at)
        {
            _cancellation.ThrowIfCancellationRequested();
            var hidden = _hidden.AsSpan(0, Math.Min(_hidden.Length, rows * _shard.Spec.HiddenSize));
            for (var i = 0; i < hidden.Length; i++)
            {
                hidden[i] = ((i % 31) - 15) / 16f; // any will do that are neither zero nor large
            }

            _batch.Clear();
            _batch.Add(_ids.AsSpan(0, rows), at, _tables, wantLastLogits: _shard.HasHead);
            var began = Stopwatch.GetTimestamp();
            _shard.Forward(_batch, hidden, _logits);
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
    }
}
