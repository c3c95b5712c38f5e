using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Testing;

/// <summary>
/// A whole "model" of hashes that is as sensitive as can be to its block tables: a position's value is a hash of its
/// token and of the value before it, kept at the physical block that the table names; the logits are hashes of all
/// values that a group's window shows, read back through the table. So a wrong block, a gap, a shared block written
/// twice or a position computed over another's history changes the tokens. <see cref="Generate"/> is the same function
/// without blocks. Allocates nothing per step.
/// </summary>
internal sealed class FakeShard : IModelShard
{
    private readonly ulong[][] _values;
    private readonly (long Step, int Slice)[][] _writers;
    private long _step;

    public FakeShard(int?[] windows, int[] blocks, int vocabulary = 61, int maxPositions = 4096)
    {
        Spec = SpecOf(vocabulary, maxPositions);
        KvGroups = [.. windows.Select((window, i) => new KvGroup(window, [i], 64))];
        KvBlockCounts = [.. blocks];
        _values = [.. blocks.Select(count => new ulong[count * KvGroup.BlockTokens])];
        _writers = [.. blocks.Select(count => new (long, int)[count])];
    }

    public ModelSpec Spec { get; }

    public LayerRange Range => new(0, KvGroups.Length);

    public bool HasEmbedding { get; init; } = true;

    public bool HasHead => true;

    public NumericClass NumericClass { get; } = new(1, "00ff", ResidualPrecision.BF16, "fake");

    public ImmutableArray<KvGroup> KvGroups { get; }

    public ImmutableArray<int> KvBlockCounts { get; }

    /// <summary>What it says of values that leave it or come in.</summary>
    public bool IsFinite { get; set; } = true;

    /// <summary>Called before each step; may throw in the model's place.</summary>
    public Action<StepBatch>? OnForward { get; set; }

    /// <summary>Chooses the slices whose logits become NaN.</summary>
    public Func<StepSlice, bool>? Spoils { get; set; }

    /// <summary>Whether it was disposed.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>
    /// The answer to <paramref name="prompt"/>, computed alone and without blocks, taking the largest logit.
    /// </summary>
    public static int[] Generate(IReadOnlyList<int?> windows, ReadOnlySpan<int> prompt, int maxTokens, int vocabulary = 61, int stopId = -1)
    {
        var values = new List<ulong>();
        var answer = new List<int>();
        foreach (var id in prompt)
        {
            values.Add(Value(id, values, windows.Count));
        }

        while (true)
        {
            var seen = Start;
            foreach (var window in windows)
            {
                for (var p = FirstVisible(window, values.Count - 1); p < values.Count; p++)
                {
                    seen = Mix(seen, values[p]);
                }
            }

            var best = 0;
            for (var id = 1; id < vocabulary; id++)
            {
                best = Logit(seen, id) > Logit(seen, best) ? id : best;
            }

            answer.Add(best);
            if (answer.Count == maxTokens || best == stopId)
            {
                return [.. answer];
            }

            values.Add(Value(best, values, windows.Count));
        }

        static ulong Value(int id, List<ulong> values, int groups)
        {
            var value = Mix(Start, (ulong)id + 1);
            for (var g = 0; g < groups; g++)
            {
                value = Mix(value, values.Count == 0 ? 0 : values[^1]);
            }

            return value;
        }
    }

    public BlockPartShape KvShape(int layer) => new(ResidualPrecision.BF16, 1, 2, KvGroup.BlockTokens * sizeof(ulong));

    public bool ReadKv(int layer, int block, Span<byte> plain)
    {
        MemoryMarshal.AsBytes(_values[layer].AsSpan(block * KvGroup.BlockTokens, KvGroup.BlockTokens)).CopyTo(plain);
        return IsFinite;
    }

    public bool WriteKv(int layer, int block, ReadOnlySpan<byte> plain)
    {
        plain.CopyTo(MemoryMarshal.AsBytes(_values[layer].AsSpan(block * KvGroup.BlockTokens, KvGroup.BlockTokens)));
        return IsFinite;
    }

    public void Forward(StepBatch batch, Span<float> hidden, Span<float> logits)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        OnForward?.Invoke(batch);
        _step++;
        if (logits.Length != batch.LogitRows.Count * Spec.VocabularySize)
        {
            throw new ArgumentException($"{logits.Length} logits for {batch.LogitRows.Count} rows");
        }

        var logitRow = 0;
        for (var s = 0; s < batch.Slices.Count; s++)
        {
            var slice = batch.Slices[s];
            for (var i = 0; i < slice.Count; i++)
            {
                Write(slice, s, slice.StartPosition + i, batch.TokenIds[slice.FirstRow + i]);
                if (logitRow < batch.LogitRows.Count && batch.LogitRows[logitRow] == slice.FirstRow + i)
                {
                    var row = logits.Slice(logitRow++ * Spec.VocabularySize, Spec.VocabularySize);
                    ReadLogits(slice, s, slice.StartPosition + i, row);
                }
            }
        }
    }

    public void Dispose() => IsDisposed = true;

    private const ulong Start = 0x9E3779B97F4A7C15;

    private static ulong Mix(ulong state, ulong value)
    {
        state = (state ^ value) * 0xBF58476D1CE4E5B9;
        state ^= state >> 29;
        state *= 0x94D049BB133111EB;
        return state ^ (state >> 32);
    }

    private static float Logit(ulong seen, int id) => Mix(seen, (ulong)id) >> 40;

    private static int FirstVisible(int? window, int position) => window is { } w ? Math.Max(0, position - w + 1) : 0;

    private static ModelSpec SpecOf(int vocabulary, int maxPositions) => new()
    {
        Architecture = "fake",
        VocabularySize = vocabulary,
        HiddenSize = 1,
        MaxPositions = maxPositions,
        NormEpsilon = 1e-6f,
        Embedding = new TensorRef("embedding"),
        FinalNorm = new TensorRef("norm"),
        Head = new TensorRef("head"),
        Layers = [],
    };

    private void Write(StepSlice slice, int index, int position, int id)
    {
        var value = Mix(Start, (ulong)id + 1);
        for (var g = 0; g < _values.Length; g++)
        {
            value = Mix(value, position == 0 ? 0 : Read(slice, index, g, position - 1));
        }

        for (var g = 0; g < _values.Length; g++)
        {
            var block = BlockOf(slice, g, position);
            ref var writer = ref _writers[g][block];
            if (writer.Step == _step && writer.Slice != index)
            {
                throw new InvalidOperationException($"block {block} of group {g} is written by slices {writer.Slice} and {index} in one step");
            }

            writer = (_step, index);
            _values[g][(block * KvGroup.BlockTokens) + (position % KvGroup.BlockTokens)] = value;
        }
    }

    private ulong Read(StepSlice slice, int index, int group, int position)
    {
        var block = BlockOf(slice, group, position);
        var writer = _writers[group][block];
        if (writer.Step == _step && writer.Slice != index)
        {
            throw new InvalidOperationException($"block {block} of group {group} is written by slice {writer.Slice} and read by {index} in one step");
        }

        return _values[group][(block * KvGroup.BlockTokens) + (position % KvGroup.BlockTokens)];
    }

    private static int BlockOf(StepSlice slice, int group, int position)
    {
        var block = slice.BlockTables[group][position / KvGroup.BlockTokens];
        return block >= 0 ? block : throw new InvalidOperationException($"position {position} of group {group} has no block");
    }

    private void ReadLogits(StepSlice slice, int index, int position, Span<float> logits)
    {
        if (Spoils is not null && Spoils(slice))
        {
            logits.Fill(float.NaN);
            return;
        }

        var seen = Start;
        for (var g = 0; g < _values.Length; g++)
        {
            for (var p = FirstVisible(KvGroups[g].Window, position); p <= position; p++)
            {
                seen = Mix(seen, Read(slice, index, g, p));
            }
        }

        for (var id = 0; id < logits.Length; id++)
        {
            logits[id] = Logit(seen, id);
        }
    }
}
