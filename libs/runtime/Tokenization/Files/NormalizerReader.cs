using Parallax.Runtime.Tokenization.Normalization;
using Parallax.Runtime.Tokenization.Splitting;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>Reads the section "normalizer" of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    private const int MaxSteps = 16;
    private const int MaxContent = 64; // a longer replacement could blow a text up beyond bounds

    /// <exception cref="ModelFormatException">Malformed, or a kind that is not supported.</exception>
    public static IReadOnlyList<ITextNormalizer> Read(JsonField? field)
    {
        var steps = new List<ITextNormalizer>();
        if (field is { } given)
        {
            Add(given, steps);
        }

        return steps;
    }

    private static void Add(JsonField field, List<ITextNormalizer> steps)
    {
        if (steps.Count == MaxSteps)
        {
            throw field.Error($"more than {MaxSteps} normalizers");
        }

        var type = field.Required("type").AsString();
        switch (type)
        {
            case "Sequence":
                foreach (var part in field.Required("normalizers").Items())
                {
                    Add(part, steps);
                }

                break;
            case "NFC":
                steps.Add(new CanonicalNormalizer(compose: true));
                break;
            case "NFD":
                steps.Add(new CanonicalNormalizer(compose: false));
                break;
            case "Prepend":
                steps.Add(new PrependNormalizer(Content(field.Required("prepend"))));
                break;
            case "Replace":
                var pattern = field.Required("pattern");
                var content = Content(field.Required("content"));
                var stage = PreTokenizerReader.Guard(pattern, () => pattern.Optional("Regex") is { } regex
                    ? SplitStage.OfRegex(regex.AsString(), field.File)
                    : SplitStage.OfLiteral(pattern.Required("String").AsString(), field.File));
                steps.Add(new ReplaceNormalizer(stage, content));
                break;
            case "Strip":
                steps.Add(new StripNormalizer(field.Flag("strip_left", absent: true), field.Flag("strip_right", absent: true)));
                break;
            default:
                throw field.Error($"the normalizer '{type}' is not supported");
        }
    }

    private static string Content(JsonField field) => field.AsString() is { Length: <= MaxContent } content
        ? content
        : throw field.Error($"longer than {MaxContent} characters");
}
