using System.Collections.Immutable;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Execution;

/// <summary>Reads one layer's parameters from a checkpoint onto a device; every shape is checked.</summary>
internal sealed class DecoderLayerLoader(ModelSpec spec, IWeightSource weights, IComputeBackend backend)
{
    /// <summary>Weight bytes loaded so far.</summary>
    public long Bytes { get; private set; }

    public DecoderLayer Load(LayerSpec layer, int kvGroup, DeviceKv kv)
    {
        var attention = layer.Attention;
        var hidden = spec.HiddenSize;
        var queryRows = attention.Heads * attention.HeadDim;
        var keyRows = attention.KvHeads * attention.HeadDim;
        var dense = layer.FeedForward as DenseFeedForwardSpec;
        return new DecoderLayer
        {
            Spec = layer,
            AttentionNorm = Vector(layer.AttentionNorm, hidden),
            Qkv =
            [
                Matrix(attention.Query, queryRows, hidden),
                Matrix(attention.Key, keyRows, hidden),
                Matrix(attention.Value, keyRows, hidden),
            ],
            QkvBias = Bias((attention.QueryBias, queryRows), (attention.KeyBias, keyRows), (attention.ValueBias, keyRows)),
            Attention = new AttentionLayer(
                attention,
                kvGroup,
                kv,
                Optional(attention.QueryNorm, attention.HeadDim),
                Optional(attention.KeyNorm, attention.HeadDim),
                spec.NormEpsilon),
            AttentionOutput = Matrix(attention.Output, hidden, queryRows),
            AttentionOutputBias = Bias((attention.OutputBias, hidden)),
            FeedForwardNorm = Vector(layer.FeedForwardNorm, hidden),
            GateUp = dense is null
                ? []
                : [Matrix(dense.Gate, dense.IntermediateSize, hidden), Matrix(dense.Up, dense.IntermediateSize, hidden)],
            GateUpBias = dense is null ? null : Bias((dense.GateBias, dense.IntermediateSize), (dense.UpBias, dense.IntermediateSize)),
            Down = dense is null ? null : Matrix(dense.Down, hidden, dense.IntermediateSize),
            DownBias = dense is null ? null : Bias((dense.DownBias, hidden)),
            Moe = layer.FeedForward is MoeFeedForwardSpec moe ? Experts(moe) : null,
        };
    }

    /// <summary>Loads one matrix [rows, columns].</summary>
    public DeviceMatrix Matrix(TensorRef reference, int rows, int columns)
    {
        var source = weights.Open(reference, rows, columns);
        try
        {
            var matrix = backend.LoadMatrix(source);
            Bytes += matrix.Bytes;
            return matrix;
        }
        catch (InvalidDataException e)
        {
            throw new ModelFormatException(weights.Location, e.Message, reference.ToString(), e);
        }
    }

    /// <summary>Loads one vector.</summary>
    public DeviceVector Vector(TensorRef reference, int length) => Load((reference, length));

    private DeviceVector? Optional(TensorRef? reference, int length) => reference is { } present ? Vector(present, length) : null;

    private DeviceVector? Bias(params ReadOnlySpan<(TensorRef? Reference, int Length)> parts)
    {
        foreach (var (reference, _) in parts)
        {
            if (reference is not null)
            {
                return Load(parts);
            }
        }

        return null;
    }

    private DeviceVector Load(params ReadOnlySpan<(TensorRef? Reference, int Length)> parts)
    {
        var sources = new (WeightTensor?, int)[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            var (reference, length) = parts[i];
            sources[i] = (reference is { } present ? weights.Open(present, 1, length) : null, length);
        }

        try
        {
            var vector = backend.LoadVector(sources);
            Bytes += (long)vector.Length * sizeof(float);
            return vector;
        }
        catch (InvalidDataException e)
        {
            throw new ModelFormatException(weights.Location, e.Message, cause: e);
        }
    }

    private MoeLayer Experts(MoeFeedForwardSpec moe)
    {
        var gates = ImmutableArray.CreateBuilder<DeviceMatrix>(moe.Experts.Length);
        var ups = ImmutableArray.CreateBuilder<DeviceMatrix>(moe.Experts.Length);
        var downs = ImmutableArray.CreateBuilder<DeviceMatrix>(moe.Experts.Length);
        foreach (var expert in moe.Experts)
        {
            gates.Add(Matrix(expert.Gate, moe.IntermediateSize, spec.HiddenSize));
            ups.Add(Matrix(expert.Up, moe.IntermediateSize, spec.HiddenSize));
            downs.Add(Matrix(expert.Down, spec.HiddenSize, moe.IntermediateSize));
        }

        return new MoeLayer(
            moe,
            Matrix(moe.Router, moe.Experts.Length, spec.HiddenSize),
            gates.MoveToImmutable(),
            ups.MoveToImmutable(),
            downs.MoveToImmutable());
    }
}
