using System.Collections.Immutable;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>Reads what GGUF files of the Llama family have in common. Biases are there when their tensors are.</summary>
internal static class GgufDecoder
{
    private static readonly GgufTensorNames Names = new();

    public static DecoderOutline Read(GgufFields metadata, TensorTable tensors, RopeLayout layout)
    {
        metadata.Demand("attention.causal", true);
        var hidden = metadata.Size("embedding_length");
        var heads = metadata.Size("attention.head_count");
        var kvHeads = metadata.Size("attention.head_count_kv", heads);
        if (heads % kvHeads != 0)
        {
            throw metadata.Refuse("attention.head_count_kv", $"is {kvHeads}, which does not divide attention.head_count ({heads})");
        }

        var headDim = HeadDim(metadata, hidden, heads);
        return new DecoderOutline
        {
            VocabularySize = Vocabulary(metadata, tensors),
            HiddenSize = hidden,
            LayerCount = metadata.Size("block_count"),
            MaxPositions = metadata.Size("context_length"),
            NormEpsilon = (float)metadata.Positive("attention.layer_norm_rms_epsilon"),
            TiedHead = !tensors.TryGet(Names.Head.Name, out _),
            Heads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            Rope = Rope(metadata, headDim, layout),
            QkvBias = HasBias(tensors, LayerTensor.Query),
            OutputBias = HasBias(tensors, LayerTensor.Output),
            IntermediateSize = metadata.Size("feed_forward_length"),
            FeedForwardBias = HasBias(tensors, LayerTensor.Gate),
        };
    }

    /// <summary>Explicit frequency divisors (Llama 3), which files carry as a tensor; default when absent.</summary>
    public static ImmutableArray<float> FrequencyDivisors(TensorTable tensors, int rotaryDim)
    {
        const string name = "rope_freqs.weight";
        if (!tensors.TryGet(name, out _))
        {
            return default;
        }

        var tensor = tensors.Open(new TensorRef(name), 1, Math.Max(1, rotaryDim / 2));
        var divisors = new float[tensor.Columns];
        BlockDecoder.Decode(tensor.Format, tensor.Row(0), divisors);
        return Array.TrueForAll(divisors, d => float.IsFinite(d) && d > 0)
            ? ImmutableArray.Create(divisors)
            : throw new ModelFormatException(tensors.Location, "holds a divisor that is not a number above 0", name);
    }

    private static bool HasBias(TensorTable tensors, LayerTensor tensor) => tensors.TryGet(Names.Layer(0, tensor, bias: true).Name, out _);

    private static int HeadDim(GgufFields metadata, int hidden, int heads)
    {
        var headDim = metadata.OptionalSize("attention.key_length");
        if (headDim is null && hidden % heads != 0)
        {
            throw metadata.Refuse("attention.head_count", $"is {heads}, which does not divide embedding_length ({hidden}), and attention.key_length is not given");
        }

        headDim ??= hidden / heads;
        var valueDim = metadata.Size("attention.value_length", hidden % heads == 0 && !metadata.Has("attention.key_length") ? hidden / heads : headDim.Value);
        return valueDim == headDim ? headDim.Value : throw metadata.Refuse("attention.value_length", $"is {valueDim}, supported is the length of keys, {headDim}");
    }

    /// <summary>The embedding's rows: the field is optional.</summary>
    private static int Vocabulary(GgufFields metadata, TensorTable tensors)
    {
        if (!tensors.TryGet(Names.Embedding.Name, out var embedding) || embedding.Shape is not [> 0 and <= int.MaxValue, _])
        {
            throw new ModelFormatException(tensors.Location, "the tensor is missing or not a matrix", Names.Embedding.Name);
        }

        var rows = (int)embedding.Shape[0];
        var stated = metadata.Size("vocab_size", rows);
        return stated == rows ? rows : throw metadata.Refuse("vocab_size", $"is {stated}, but {embedding.Name} has {rows} rows");
    }

    private static RopeSpec Rope(GgufFields metadata, int headDim, RopeLayout layout)
    {
        var rotaryDim = metadata.Size("rope.dimension_count", headDim);
        if (rotaryDim > headDim || rotaryDim % 2 != 0)
        {
            throw metadata.Refuse("rope.dimension_count", $"is {rotaryDim}, expected an even number up to the heads' {headDim}");
        }

        // A factor alone means linear scaling; "none" switches it off.
        var type = metadata.OptionalText("rope.scaling.type") ?? "linear";
        if (type is not ("none" or "linear"))
        {
            throw metadata.Refuse("rope.scaling.type", $"is {type}; supported are none and linear");
        }

        var factor = metadata.OptionalPositive("rope.scaling.factor") ?? metadata.OptionalPositive("rope.scale_linear") ?? 1.0;
        if (metadata.OptionalPositive("rope.scaling.attn_factor") is { } attention and not 1.0)
        {
            throw metadata.Refuse("rope.scaling.attn_factor", $"is {attention}, supported is 1");
        }

        return new RopeSpec
        {
            Layout = layout,
            Theta = metadata.OptionalPositive("rope.freq_base") ?? 10000.0,
            RotaryDim = rotaryDim,
            LinearFactor = type == "none" ? 1.0 : factor,
        };
    }
}
