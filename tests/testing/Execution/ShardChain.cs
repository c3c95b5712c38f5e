using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Testing.Execution;

/// <summary>
/// A model as a chain of shards, one or more, driven step by step without an engine: block tables are kept here, hidden
/// states travel as f32 arrays, as on a link.
/// </summary>
internal sealed class ShardChain : IDisposable
{
    private readonly ShardChainOptions _options;
    private readonly List<ModelShard> _shards = [];
    private readonly List<List<int>[]> _free = [];
    private readonly StepBatch _batch = new();

    private ShardChain(ShardChainOptions options, ModelSource model)
    {
        _options = options;
        Model = model;
    }

    public ModelSource Model { get; }

    public ModelSpec Spec => Model.Spec;

    public IReadOnlyList<ModelShard> Shards => _shards;

    /// <summary>The last step's residual stream after each shard, [shards][rows * hidden].</summary>
    public List<float[]> Boundaries { get; } = [];

    public static ShardChain Load(ModelSource model, IComputeBackend backend, ShardChainOptions? options = null)
    {
        options ??= new ShardChainOptions();
        var chain = new ShardChain(options, model);
        int[] bounds = [0, .. options.Cuts, model.Spec.Layers.Length];
        for (var i = 0; i + 1 < bounds.Length; i++)
        {
            var range = new LayerRange(bounds[i], bounds[i + 1]);
            var shard = ModelShard.Load(
                model.Spec,
                model.Weights,
                options.Decorate?.Invoke(backend, range.Count) ?? backend,
                new ModelShardOptions { Range = range, Residual = options.Residual, KvTokens = options.KvTokens, WeightsHash = "test" });
            chain._shards.Add(shard);
            chain._free.Add([.. shard.KvBlockCounts.Select(chain.FreeBlocks)]);
        }

        return chain;
    }

    public ChainSession Open(IEnumerable<int> tokens)
    {
        var blocks = (_options.KvTokens + KvGroup.BlockTokens - 1) / KvGroup.BlockTokens;
        return new ChainSession(tokens, [.. _shards.Select(shard => shard.KvGroups.Select(_ => NewTable(blocks)).ToArray())]);
    }

    /// <summary>Frees the session's blocks, as they are, for others.</summary>
    public void Close(ChainSession session)
    {
        for (var s = 0; s < _shards.Count; s++)
        {
            for (var g = 0; g < session.Tables[s].Length; g++)
            {
                _free[s][g].AddRange(session.Tables[s][g].Where(block => block >= 0));
                Array.Fill(session.Tables[s][g], -1);
            }
        }
    }

    /// <summary>Computes the next <c>Count</c> positions of each session in one batch, and records the results.</summary>
    public void Step(params IReadOnlyList<(ChainSession Session, int Count)> slices)
    {
        var rows = slices.Sum(slice => slice.Count);
        var hidden = new float[rows * Spec.HiddenSize];
        var logits = Array.Empty<float>();
        Boundaries.Clear();
        for (var s = 0; s < _shards.Count; s++)
        {
            Fill(s, slices);
            logits = new float[_batch.LogitRows.Count * Spec.VocabularySize];
            _shards[s].Forward(_batch, hidden, logits);
            Boundaries.Add(_shards[s].ReadResidual(normed: false));
            if (s + 1 < _shards.Count)
            {
                _options.OnLink?.Invoke(hidden);
            }
        }

        var row = 0;
        var logitRow = 0;
        foreach (var (session, count) in slices)
        {
            for (var i = 0; i < count; i++, row++)
            {
                session.Residuals.Add(Boundaries[^1].AsSpan(row * Spec.HiddenSize, Spec.HiddenSize).ToArray());
                if (Wants(session.Position + i))
                {
                    var values = logits.AsSpan(logitRow++ * Spec.VocabularySize, Spec.VocabularySize).ToArray();
                    if (_options.LogitSink is { } sink)
                    {
                        sink(session, session.Position + i, values);
                    }
                    else
                    {
                        session.Logits.Add(session.Position + i, values);
                    }
                }
            }

            session.Position += count;
        }
    }

    /// <summary>Computes all known tokens of one session, at most <paramref name="chunk"/> positions a step.</summary>
    public ChainSession Run(IEnumerable<int> tokens, int chunk = int.MaxValue)
    {
        var session = Open(tokens);
        while (session.Position < session.Tokens.Count)
        {
            Step((session, Math.Min(chunk, session.Tokens.Count - session.Position)));
        }

        return session;
    }

    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
    }

    private static int[] NewTable(int blocks)
    {
        var table = new int[blocks];
        Array.Fill(table, -1);
        return table;
    }

    private bool Wants(int position) => _options.LogitsAt?.Invoke(position) ?? true;

    private List<int> FreeBlocks(int count)
    {
        // Taken from the end.
        var blocks = Enumerable.Range(0, count).Reverse().ToArray();
        if (_options.BlockOrder < 0)
        {
            Array.Reverse(blocks);
        }
        else if (_options.BlockOrder > 0)
        {
            new Random(_options.BlockOrder).Shuffle(blocks);
        }

        return [.. blocks];
    }

    private void Fill(int s, IReadOnlyList<(ChainSession Session, int Count)> slices)
    {
        var shard = _shards[s];
        _batch.Clear();
        foreach (var (session, count) in slices)
        {
            for (var g = 0; g < shard.KvGroups.Length; g++)
            {
                Provide(session.Tables[s][g], _free[s][g], shard.KvGroups[g].Window, session.Position, count);
            }

            var tokens = session.Tokens.GetRange(session.Position, count).ToArray();
            _batch.Add(tokens, session.Position, session.Tables[s], wantLastLogits: false);
            for (var i = 0; shard.HasHead && i < count; i++)
            {
                if (Wants(session.Position + i))
                {
                    _batch.WantLogits(_batch.RowCount - count + i);
                }
            }
        }
    }

    /// <summary>Frees blocks behind the window of the next position and takes blocks for the positions to come.</summary>
    private static void Provide(int[] table, List<int> free, int? window, int position, int count)
    {
        for (var block = 0; window is { } size && (block + 1) * KvGroup.BlockTokens <= position - size + 1; block++)
        {
            if (table[block] >= 0)
            {
                free.Add(table[block]);
                table[block] = -1;
            }
        }

        for (var block = position / KvGroup.BlockTokens; block * KvGroup.BlockTokens < position + count; block++)
        {
            if (table[block] < 0)
            {
                table[block] = free[^1];
                free.RemoveAt(free.Count - 1);
            }
        }
    }
}
