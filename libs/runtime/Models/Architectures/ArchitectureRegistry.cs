using System.Collections.Frozen;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models.Architectures;

/// <summary>The architectures by name. A new one is a file of its own and a line here.</summary>
internal static class ArchitectureRegistry
{
    private static readonly LlamaArchitecture Llama = new();
    private static readonly Qwen2Architecture Qwen2 = new();
    private static readonly Qwen3Architecture Qwen3 = new();
    private static readonly Qwen3MoeArchitecture Qwen3Moe = new();

    private static readonly FrozenDictionary<string, IHubArchitecture> Hub =
        ((IHubArchitecture[])[Llama, new MistralArchitecture(), Qwen2, Qwen3, Qwen3Moe]).ToFrozenDictionary(a => a.HubName, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, IGgufArchitecture> Gguf =
        ((IGgufArchitecture[])[Llama, Qwen2, Qwen3, Qwen3Moe]).ToFrozenDictionary(a => a.GgufName, StringComparer.Ordinal);

    /// <summary>Describes a checkpoint in the hub's layout.</summary>
    /// <exception cref="ModelFormatException">Unknown architecture, or a field that is unsupported or wrong.</exception>
    public static ModelSpec Describe(HubFields config, TensorTable tensors)
    {
        var name = config.OptionalText("model_type") ?? throw config.Refuse("model_type", "the field is missing");
        if (!Hub.TryGetValue(name, out var architecture))
        {
            throw config.Refuse("model_type", Unknown(name, Hub.Keys));
        }

        var outline = architecture.FromHub(config);
        config.RefuseUnread(NeutralFields.Hub, NeutralFields.HubWhenFalse);
        return DecoderBuilder.Build(name, outline, new HubTensorNames(), tensors);
    }

    /// <summary>Describes a GGUF file.</summary>
    /// <exception cref="ModelFormatException">Unknown architecture, or a field or tensor that is unsupported or wrong.</exception>
    public static ModelSpec Describe(GgufMetadata metadata, TensorTable tensors)
    {
        const string field = "general.architecture";
        var name = metadata[field].AsText();
        if (!Gguf.TryGetValue(name, out var architecture))
        {
            throw new ModelFormatException(metadata.File, Unknown(name, Gguf.Keys), field);
        }

        GgufChecks.RefuseParts(metadata);
        var fields = new GgufFields(metadata, name);
        var outline = architecture.FromGguf(fields, tensors);
        fields.RefuseUnread(NeutralFields.Gguf, NeutralFields.GgufWhenFalse);
        var spec = DecoderBuilder.Build(name, outline, new GgufTensorNames(), tensors);
        GgufChecks.RefuseUnused(spec, tensors);
        return spec;
    }

    private static string Unknown(string name, IEnumerable<string> known) =>
        $"the architecture '{name}' is not supported (supported: {string.Join(", ", known.Order(StringComparer.Ordinal))})";
}
