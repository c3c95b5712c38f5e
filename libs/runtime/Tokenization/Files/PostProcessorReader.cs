using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>Reads the section "post_processor" of a tokenizer.json: the tokens put around a text.</summary>
internal sealed class PostProcessorReader
{
    private const int MaxTokens = 64;

    /// <summary>Ids before the text.</summary>
    public List<int> Prefix { get; } = [];

    /// <summary>Ids after the text.</summary>
    public List<int> Suffix { get; } = [];

    /// <param name="field">The section.</param>
    /// <param name="vocabularySize">One more than the largest id.</param>
    /// <exception cref="ModelFormatException">Malformed, or a kind that is not supported.</exception>
    public void Read(JsonField field, int vocabularySize)
    {
        var type = field.Required("type").AsString();
        switch (type)
        {
            case "Sequence":
                foreach (var part in field.Required("processors").Items())
                {
                    Read(part, vocabularySize);
                }

                break;
            case "ByteLevel":
                break; // offsets only
            case "TemplateProcessing":
                ReadTemplate(field, vocabularySize);
                break;
            default:
                throw field.Error($"the post-processor '{type}' is not supported");
        }
    }

    private void ReadTemplate(JsonField field, int vocabularySize)
    {
        var tokens = field.Required("special_tokens");
        var before = new List<int>();
        var after = new List<int>();
        var sequenceSeen = false;
        foreach (var piece in field.Required("single").Items())
        {
            if (piece.Optional("Sequence") is { } sequence)
            {
                if (sequenceSeen || sequence.Required("id").AsString() != "A")
                {
                    throw piece.Error("expected the sequence A once");
                }

                sequenceSeen = true;
                continue;
            }

            var name = piece.Required("SpecialToken").Required("id");
            foreach (var id in tokens.Required(name.AsString()).Required("ids").Items())
            {
                if ((uint)id.AsInt() >= (uint)vocabularySize)
                {
                    throw id.Error($"the id {id.AsInt()} is outside the vocabulary of {vocabularySize}");
                }

                (sequenceSeen ? after : before).Add(id.AsInt());
            }
        }

        if (!sequenceSeen)
        {
            throw field.Error("a template without the sequence A");
        }

        // A further template goes around what the earlier ones made.
        Prefix.InsertRange(0, before);
        Suffix.AddRange(after);
        if (Prefix.Count + Suffix.Count > MaxTokens)
        {
            throw field.Error($"more than {MaxTokens} tokens around a text");
        }
    }
}
