using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Execution;

/// <summary>
/// The decoder layers [start, end) of a model on a backend, with their KV, and with embedding and head when asked. The
/// residual stream is rounded to bf16 after the embedding and after every layer in the bf16 class, and never in the f32
/// class, so that where a model is cut cannot change a bit.
/// </summary>
public sealed class ModelShard : IModelShard
{
    private readonly IComputeBackend _backend;
    private readonly bool _round;
    private readonly ImmutableArray<DecoderLayer> _layers;
    private readonly DeviceMatrix? _embedding;
    private readonly DeviceVector? _finalNorm;
    private readonly DeviceMatrix? _head;
    private readonly Scratch _scratch;
    private bool _disposed;

    private ModelShard(
        ModelSpec spec,
        LayerRange range,
        IComputeBackend backend,
        NumericClass numericClass,
        ImmutableArray<KvGroup> groups,
        ImmutableArray<int> blockCounts,
        ImmutableArray<DecoderLayer> layers,
        DeviceMatrix? embedding,
        DeviceVector? finalNorm,
        DeviceMatrix? head,
        long weightBytes)
    {
        Spec = spec;
        Range = range;
        NumericClass = numericClass;
        KvGroups = groups;
        KvBlockCounts = blockCounts;
        WeightBytes = weightBytes;
        _backend = backend;
        _round = numericClass.Residual == ResidualPrecision.BF16;
        _layers = layers;
        _embedding = embedding;
        _finalNorm = finalNorm;
        _head = head;
        _scratch = new Scratch(spec, backend);
    }

    /// <inheritdoc/>
    public ModelSpec Spec { get; }

    /// <inheritdoc/>
    public LayerRange Range { get; }

    /// <inheritdoc/>
    public bool HasEmbedding => _embedding is not null;

    /// <inheritdoc/>
    public bool HasHead => _finalNorm is not null;

    /// <inheritdoc/>
    public NumericClass NumericClass { get; }

    /// <inheritdoc/>
    public ImmutableArray<KvGroup> KvGroups { get; }

    /// <inheritdoc/>
    public ImmutableArray<int> KvBlockCounts { get; }

    /// <summary>Device memory of the weights, in bytes.</summary>
    public long WeightBytes { get; }

    /// <summary>Device memory of the KV blocks, in bytes.</summary>
    public long KvBytes => KvGroups.Select((group, i) => group.BlockBytes * KvBlockCounts[i]).Sum();

    /// <summary>Loads the tensors of the shard's layers, and only those.</summary>
    /// <param name="spec">The whole model.</param>
    /// <param name="weights">Its tensors; not needed after this returns.</param>
    /// <param name="backend">Where to compute; outlives the shard.</param>
    /// <param name="options">Which part, and how.</param>
    /// <param name="progress">Told after each layer; may be null.</param>
    /// <param name="cancellationToken">Aborts between layers, freeing what was loaded.</param>
    /// <exception cref="ModelFormatException">A tensor is missing or wrong; names file and tensor.</exception>
    public static ModelShard Load(
        ModelSpec spec,
        IWeightSource weights,
        IComputeBackend backend,
        ModelShardOptions options,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.KvTokens, 1);
        var range = options.Range ?? new LayerRange(0, spec.Layers.Length);
        if (range.Start < 0 || range.End > spec.Layers.Length || range.Count < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(options), range, $"layers are in [0,{spec.Layers.Length})");
        }

        var groups = Execution.KvGroups.Of(spec, range, backend, options.Residual);
        var blocks = (options.KvTokens + KvGroup.BlockTokens - 1) / KvGroup.BlockTokens;
        var loader = new DecoderLayerLoader(spec, weights, backend);
        var held = new List<IDisposable>();
        try
        {
            var layers = ImmutableArray.CreateBuilder<DecoderLayer>(range.Count);
            for (var index = range.Start; index < range.End; index++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var layerSpec = spec.Layers[index];
                var group = GroupOf(groups, index);
                var kv = backend.AllocateKv(layerSpec.Attention, blocks, options.Residual);
                held.Add(kv);
                var layer = loader.Load(layerSpec, group, kv);
                held.Add(layer);
                layers.Add(layer);
                progress?.Report(new LoadProgress(layers.Count, range.Count, loader.Bytes));
            }

            var wantsEmbedding = options.Embedding ?? range.Start == 0;
            var wantsHead = options.Head ?? range.End == spec.Layers.Length;
            DeviceMatrix? embedding = null;
            DeviceMatrix? head = null;
            DeviceVector? norm = null;
            if (wantsEmbedding)
            {
                embedding = loader.Matrix(spec.Embedding, spec.VocabularySize, spec.HiddenSize);
                held.Add(embedding);
            }

            if (wantsHead)
            {
                norm = loader.Vector(spec.FinalNorm, spec.HiddenSize);
                held.Add(norm);
                head = spec.Head == spec.Embedding && embedding is not null
                    ? embedding
                    : loader.Matrix(spec.Head, spec.VocabularySize, spec.HiddenSize);
                held.Add(head);
            }

            var numericClass = new NumericClass(backend.ArithmeticVersion, options.WeightsHash, options.Residual, backend.Family)
            {
                Links = range.Count == spec.Layers.Length ? LinkPrecision.Exact : options.Links,
            };
            return new ModelShard(
                spec,
                range,
                backend,
                numericClass,
                groups,
                [.. groups.Select(_ => blocks)],
                layers.MoveToImmutable(),
                embedding,
                norm,
                head,
                loader.Bytes);
        }
        catch
        {
            foreach (var item in held)
            {
                item.Dispose();
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public void Forward(StepBatch batch, Span<float> hidden, Span<float> logits)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var x = _scratch.Residual;
        _backend.BeginStep(batch, KvGroups.Length);
        if (_embedding is not null)
        {
            _backend.Embed(_embedding, batch.TokenIds, x, _round);
        }
        else
        {
            x.Resize(batch.RowCount);
            x.Upload(hidden);
        }

        foreach (var layer in _layers)
        {
            Run(layer, x);
        }

        if (HasHead)
        {
            ComputeLogits(batch, x, logits);
        }
        else
        {
            x.Download(hidden);
        }
    }

    /// <inheritdoc/>
    public BlockPartShape KvShape(int layer) =>
        BlockPartShape.Kv(Spec.Layers[layer].Attention, NumericClass.Residual, KvOf(layer).PlainBytes);

    /// <inheritdoc/>
    public bool ReadKv(int layer, int block, Span<byte> plain) => KvOf(layer).Read(block, plain);

    /// <inheritdoc/>
    public bool WriteKv(int layer, int block, ReadOnlySpan<byte> plain) => KvOf(layer).Write(block, plain);

    /// <inheritdoc/>
    public void Rest() => _backend.Rest();

    /// <summary>
    /// The residual stream after the last <see cref="Forward"/> [rows, hidden], also of a shard that ends in logits; after
    /// the final norm for the rows whose logits were wanted if <paramref name="normed"/>. For tests against reference data.
    /// </summary>
    internal float[] ReadResidual(bool normed)
    {
        var tensor = normed ? _scratch.Final : _scratch.Residual;
        var values = new float[tensor.Rows * tensor.Columns];
        tensor.Download(values);
        return values;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        foreach (var layer in _layers)
        {
            layer.Dispose();
        }

        _embedding?.Dispose();
        _finalNorm?.Dispose();
        _head?.Dispose();
        _scratch.Dispose();
    }

    private DeviceKv KvOf(int layer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(layer, Range.Start);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, Range.End);
        return _layers[layer - Range.Start].Attention.Kv;
    }

    private static int GroupOf(ImmutableArray<KvGroup> groups, int layer)
    {
        for (var i = 0; i < groups.Length; i++)
        {
            if (groups[i].Layers.Contains(layer))
            {
                return i;
            }
        }

        throw new InvalidOperationException($"layer {layer} is in no KV group");
    }

    private void Run(DecoderLayer layer, DeviceTensor x)
    {
        var normed = _scratch.Normed;
        var attention = layer.Attention;
        var shapes = _scratch.For(layer);
        _backend.RmsNorm(x, layer.AttentionNorm, Spec.NormEpsilon, normed);
        _backend.Linear(normed, layer.Qkv, layer.QkvBias, shapes.Qkv);
        _backend.StoreKv(attention, shapes.Qkv);
        _backend.Attend(attention, shapes.Qkv, shapes.Attended);
        _backend.LinearAdd(shapes.Attended, layer.AttentionOutput, layer.AttentionOutputBias, x, round: false);
        _backend.RmsNorm(x, layer.FeedForwardNorm, Spec.NormEpsilon, normed);
        if (layer.Moe is { } moe)
        {
            _backend.MoeAdd(moe, normed, x, _round);
        }
        else
        {
            _backend.Linear(normed, layer.GateUp, layer.GateUpBias, shapes.GateUp!);
            _backend.SwiGlu(shapes.GateUp!, shapes.Inner!);
            _backend.LinearAdd(shapes.Inner!, layer.Down!, layer.DownBias, x, _round);
        }
    }

    private void ComputeLogits(StepBatch batch, DeviceTensor x, Span<float> logits)
    {
        if (batch.LogitRows.Count == 0)
        {
            return;
        }

        _backend.Gather(x, batch.LogitRows, _scratch.Gathered);
        _backend.RmsNorm(_scratch.Gathered, _finalNorm!, Spec.NormEpsilon, _scratch.Final);
        _scratch.HeadParts[0] = _head!;
        _backend.Linear(_scratch.Final, _scratch.HeadParts, null, _scratch.Logits);
        _scratch.Logits.Download(logits);
    }

    /// <summary>Activations, shared by all layers of equal shape.</summary>
    private sealed class Scratch(ModelSpec spec, IComputeBackend backend) : IDisposable
    {
        private readonly Dictionary<(int Heads, int KvHeads, int HeadDim, int Intermediate), LayerScratch> _layers = [];

        public DeviceTensor Residual { get; } = backend.AllocateTensor(spec.HiddenSize);

        public DeviceTensor Normed { get; } = backend.AllocateTensor(spec.HiddenSize);

        public DeviceTensor Gathered { get; } = backend.AllocateTensor(spec.HiddenSize);

        public DeviceTensor Final { get; } = backend.AllocateTensor(spec.HiddenSize);

        public DeviceTensor Logits { get; } = backend.AllocateTensor(spec.VocabularySize);

        public DeviceMatrix[] HeadParts { get; } = new DeviceMatrix[1];

        public LayerScratch For(DecoderLayer layer)
        {
            var attention = layer.Spec.Attention;
            var dense = layer.Spec.FeedForward as DenseFeedForwardSpec;
            var key = (attention.Heads, attention.KvHeads, attention.HeadDim, dense?.IntermediateSize ?? 0);
            if (!_layers.TryGetValue(key, out var scratch))
            {
                scratch = new LayerScratch(
                    backend.AllocateTensor(layer.Qkv),
                    backend.AllocateTensor(attention.Heads * attention.HeadDim),
                    dense is null ? null : backend.AllocateTensor(layer.GateUp),
                    dense is null ? null : backend.AllocateTensor(dense.IntermediateSize));
                _layers.Add(key, scratch);
            }

            return scratch;
        }

        public void Dispose()
        {
            Residual.Dispose();
            Normed.Dispose();
            Gathered.Dispose();
            Final.Dispose();
            Logits.Dispose();
            foreach (var layer in _layers.Values)
            {
                layer.Qkv.Dispose();
                layer.Attended.Dispose();
                layer.GateUp?.Dispose();
                layer.Inner?.Dispose();
            }
        }
    }

    private sealed record LayerScratch(DeviceTensor Qkv, DeviceTensor Attended, DeviceTensor? GateUp, DeviceTensor? Inner);
}
