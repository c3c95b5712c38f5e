using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>Refuses GGUF files that hold less or more than the model we would run.</summary>
internal static class GgufChecks
{
    /// <summary>Refuses adapters and files that are one part of several.</summary>
    public static void RefuseParts(GgufMetadata metadata)
    {
        if (metadata.Find("general.type") is { } type && type.AsText() != "model")
        {
            throw new ModelFormatException(metadata.File, $"is '{type.AsText()}', only a 'model' can be run", type.Key);
        }

        if (metadata.Find("split.count") is { } split && split.AsInteger() > 1)
        {
            throw new ModelFormatException(metadata.File, $"the model is split over {split.AsInteger()} files, which is not supported; merge them into one", split.Key);
        }
    }

    /// <summary>A tensor that the description does not use would change the result if it were understood.</summary>
    public static void RefuseUnused(ModelSpec spec, TensorTable tensors)
    {
        var used = spec.TensorRefs().Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var tensor in tensors.Tensors)
        {
            // Rotary divisors are read into the description; rotary tables of old files follow from the metadata.
            var rope = tensor.Name == "rope_freqs.weight" && spec.Layers.Any(l => !l.Attention.Rope.FrequencyDivisors.IsDefault);
            if (!used.Contains(tensor.Name) && !rope && !tensor.Name.EndsWith(".attn_rot_embd", StringComparison.Ordinal))
            {
                throw new ModelFormatException(tensors.Location, $"the tensor has no place in architecture '{spec.Architecture}', and ignoring it could change the model's results", tensor.Name);
            }
        }
    }
}
