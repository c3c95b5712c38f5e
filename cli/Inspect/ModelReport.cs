using System.Globalization;
using System.Text;
using System.Text.Json;
using Parallax.Cli.Terminal;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Cli.Inspect;

/// <summary>What a model is and what it needs.</summary>
internal sealed record ModelReport
{
    public required string Name { get; init; }

    public required string Architecture { get; init; }

    public required int Layers { get; init; }

    public required int HiddenSize { get; init; }

    /// <summary>Query heads, KV heads and elements per head of the first layer.</summary>
    public required (int Heads, int KvHeads, int HeadDim) Attention { get; init; }

    public required int VocabularySize { get; init; }

    public required int MaxPositions { get; init; }

    /// <summary>Sliding windows that some layers have, in tokens; empty for none.</summary>
    public required IReadOnlyList<int> Windows { get; init; }

    /// <summary>Experts per layer and experts used per token; null for a dense model.</summary>
    public (int Experts, int PerToken)? MixtureOfExperts { get; init; }

    public required bool HasChatTemplate { get; init; }

    public required string WeightsHash { get; init; }

    /// <summary>Hash of the manifest of its files; null where it was not asked for.</summary>
    public string? ManifestHash { get; init; }

    /// <summary>KV bytes per token: residual stream in bf16, and in f32.</summary>
    public required (long BF16, long F32) KvBytesPerToken { get; init; }

    /// <summary>The fingerprint that answers carry by default.</summary>
    public required string Fingerprint { get; init; }

    /// <exception cref="Parallax.Runtime.Weights.ModelFormatException">The model cannot be read or is not supported.</exception>
    public static ModelReport Of(string path)
    {
        using var model = ModelSource.Open(path);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var spec = model.Spec;
        var first = spec.Layers[0].Attention;
        var moe = spec.Layers.Select(static layer => layer.FeedForward).OfType<MoeFeedForwardSpec>().FirstOrDefault();
        return new ModelReport
        {
            Name = model.DisplayName,
            Architecture = spec.Architecture,
            Layers = spec.Layers.Length,
            HiddenSize = spec.HiddenSize,
            Attention = (first.Heads, first.KvHeads, first.HeadDim),
            VocabularySize = spec.VocabularySize,
            MaxPositions = spec.MaxPositions,
            Windows = [.. spec.Layers.Select(static layer => layer.Attention.Window).OfType<int>().Distinct().Order()],
            MixtureOfExperts = moe is null ? null : (moe.Experts.Length, moe.TopK),
            HasChatTemplate = model.ChatTemplate is not null,
            WeightsHash = model.WeightsHash,
            KvBytesPerToken = (KvBytes(ResidualPrecision.BF16), KvBytes(ResidualPrecision.F32)),
            Fingerprint = new NumericClass(backend.ArithmeticVersion, model.WeightsHash, ResidualPrecision.BF16, backend.Family).Fingerprint,
        };

        long KvBytes(ResidualPrecision precision) =>
            KvGroups.Of(spec, new LayerRange(0, spec.Layers.Length), backend, precision).Sum(static group => group.BlockBytes) / KvGroup.BlockTokens;
    }

    /// <summary>A line per fact.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        Line("model", Name);
        Line("architecture", Architecture);
        Line("layers", Layers);
        Line("hidden size", HiddenSize);
        Line("attention", string.Create(CultureInfo.InvariantCulture, $"{Attention.Heads} heads, {Attention.KvHeads} KV heads, {Attention.HeadDim} per head"));
        if (Windows.Count > 0)
        {
            Line("sliding window", $"{string.Join(", ", Windows)} tokens");
        }

        if (MixtureOfExperts is { } moe)
        {
            Line("experts", string.Create(CultureInfo.InvariantCulture, $"{moe.Experts} per layer, {moe.PerToken} used per token"));
        }

        Line("vocabulary", VocabularySize);
        Line("context", string.Create(CultureInfo.InvariantCulture, $"{MaxPositions} tokens"));
        Line("KV cache", $"{Figures.Bytes(KvBytesPerToken.BF16)} per token ({Figures.Bytes(KvBytesPerToken.F32)} with --residual f32)");
        Line("chat template", HasChatTemplate ? "yes" : "no: it cannot serve chat completions");
        Line("numeric class", Fingerprint);
        Line("weights", WeightsHash);
        if (ManifestHash is not null)
        {
            Line("manifest", ManifestHash);
        }

        return text.ToString();

        void Line(string name, object value) => text.Append(CultureInfo.InvariantCulture, $"{name,-16}{value}").AppendLine();
    }

    /// <summary>One JSON object, with a line break at its end.</summary>
    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("name", Name);
            json.WriteString("architecture", Architecture);
            json.WriteNumber("layers", Layers);
            json.WriteNumber("hidden_size", HiddenSize);
            json.WriteNumber("heads", Attention.Heads);
            json.WriteNumber("kv_heads", Attention.KvHeads);
            json.WriteNumber("head_dim", Attention.HeadDim);
            json.WriteStartArray("windows");
            foreach (var window in Windows)
            {
                json.WriteNumberValue(window);
            }

            json.WriteEndArray();
            if (MixtureOfExperts is { } moe)
            {
                json.WriteNumber("experts", moe.Experts);
                json.WriteNumber("experts_per_token", moe.PerToken);
            }

            json.WriteNumber("vocabulary_size", VocabularySize);
            json.WriteNumber("max_positions", MaxPositions);
            json.WriteBoolean("has_chat_template", HasChatTemplate);
            json.WriteNumber("kv_bytes_per_token_bf16", KvBytesPerToken.BF16);
            json.WriteNumber("kv_bytes_per_token_f32", KvBytesPerToken.F32);
            json.WriteString("fingerprint", Fingerprint);
            json.WriteString("weights_hash", WeightsHash);
            if (ManifestHash is not null)
            {
                json.WriteString("manifest_hash", ManifestHash);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + Environment.NewLine;
    }
}
