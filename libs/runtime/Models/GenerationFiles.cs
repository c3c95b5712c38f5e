using System.Collections.Immutable;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models;

/// <summary>Reads generation defaults from a model's files.</summary>
internal static class GenerationFiles
{
    /// <summary>From generation_config.json, and the end tokens of config.json where that names none.</summary>
    public static GenerationDefaults FromHub(string folder, HubFields config, int vocabularySize)
    {
        var path = Path.Combine(folder, "generation_config.json");
        var fields = File.Exists(path) ? HubFields.Open(path) : null;
        var source = fields?.Has("eos_token_id") == true ? fields : config;
        return new GenerationDefaults
        {
            EosTokenIds = Known(source.OptionalIntegers("eos_token_id") ?? [], vocabularySize),
            DoSample = fields?.Has("do_sample") == true ? fields.Flag("do_sample", false) : null,
            Temperature = InRange(fields, "temperature", 0, float.MaxValue),
            TopP = InRange(fields, "top_p", float.Epsilon, 1),
            TopK = fields?.Has("top_k") == true ? fields.Count("top_k", 0) : null,
            MinP = InRange(fields, "min_p", 0, 1),
            RepetitionPenalty = InRange(fields, "repetition_penalty", float.Epsilon, float.MaxValue),
        };
    }

    /// <summary>End of text, of turn and of message of a GGUF file's tokenizer, and its <c>general.sampling</c> fields.</summary>
    public static GenerationDefaults FromGguf(GgufMetadata metadata, int vocabularySize)
    {
        string[] keys = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];
        var ids = keys.Select(metadata.Find).OfType<GgufValue>().Select(value => (int)Math.Clamp(value.AsInteger(), -1, int.MaxValue));
        var sampling = new GgufFields(metadata, "general.sampling");
        return new GenerationDefaults
        {
            EosTokenIds = Known(ids, vocabularySize),
            Temperature = InRange(sampling, "temp", 0, float.MaxValue),
            TopP = InRange(sampling, "top_p", float.Epsilon, 1),
            TopK = sampling.Has("top_k") ? sampling.Count("top_k", 0) : null,
            MinP = InRange(sampling, "min_p", 0, 1),
            RepetitionPenalty = InRange(sampling, "penalty_repeat", float.Epsilon, float.MaxValue),
        };
    }

    /// <summary>Ids outside the vocabulary (some writers say "none" that way) are never sampled and cannot end an answer.</summary>
    private static ImmutableArray<int> Known(IEnumerable<int> ids, int vocabularySize) =>
        [.. ids.Where(id => id >= 0 && id < vocabularySize).Distinct()];

    private static float? InRange(ConfigFields? fields, string name, float least, float most)
    {
        if (fields?.OptionalNumber(name) is not { } value)
        {
            return null;
        }

        return (float)value >= least && (float)value <= most ? (float)value : throw fields.Refuse(name, $"is {value}, expected {least} to {most}");
    }
}
