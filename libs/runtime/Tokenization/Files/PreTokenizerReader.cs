using Parallax.Runtime.Tokenization.Splitting;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>Reads the section "pre_tokenizer" of a tokenizer.json.</summary>
internal sealed class PreTokenizerReader
{
    private const int MaxStages = 16;

    private readonly List<SplitStage> _stages = [];

    /// <summary>Whether the pieces are written in the <see cref="ByteAlphabet"/>.</summary>
    public bool IsByteLevel { get; private set; }

    /// <summary>What happens to the text before it is cut, or null.</summary>
    public TextPrefix? TextPrefix { get; private set; }

    /// <summary>The cuts, in order.</summary>
    public IReadOnlyList<SplitStage> Stages => _stages;

    /// <exception cref="ModelFormatException">Malformed, or a kind that is not supported.</exception>
    public void Read(JsonField field)
    {
        var type = field.Required("type").AsString();
        if (IsByteLevel)
        {
            throw field.Error($"the pre-tokenizer '{type}' after 'ByteLevel' is not supported");
        }

        if (_stages.Count == MaxStages)
        {
            throw field.Error($"more than {MaxStages} pre-tokenizers");
        }

        switch (type)
        {
            case "Sequence":
                foreach (var part in field.Required("pretokenizers").Items())
                {
                    Read(part);
                }

                break;
            case "ByteLevel":
                if (field.Flag("add_prefix_space", absent: true))
                {
                    SetPrefix(field, new TextPrefix(' ', TextPrefix.Scheme.Always));
                }

                if (field.Flag("use_regex", absent: true))
                {
                    Add(field, KnownPatterns.Gpt2);
                }

                IsByteLevel = true;
                break;
            case "Metaspace":
                ReadMetaspace(field);
                break;
            case "Split":
                ReadSplit(field);
                break;
            case "Digits":
                Add(field, field.Flag("individual_digits") ? @"\p{N}" : @"\p{N}+");
                break;
            case "Punctuation":
                var behavior = field.Optional("behavior");
                Add(field, KnownPatterns.Punctuation, behavior is { } given ? Behavior(given) : SplitBehavior.Isolated);
                break;
            case "Whitespace":
                Add(field, @"\w+|[^\w\s]+", SplitBehavior.Removed, invert: true);
                break;
            case "WhitespaceSplit":
                Add(field, @"\s", SplitBehavior.Removed);
                break;
            default:
                throw field.Error($"the pre-tokenizer '{type}' is not supported");
        }
    }

    private void ReadMetaspace(JsonField field)
    {
        var replacement = field.Optional("replacement")?.AsString() ?? "▁";
        if (replacement.Length != 1)
        {
            throw field.Error($"the replacement '{replacement}' is not one character");
        }

        var scheme = field.Optional("prepend_scheme")?.AsString() switch
        {
            null => field.Flag("add_prefix_space", absent: true) ? TextPrefix.Scheme.Always : TextPrefix.Scheme.Never,
            "always" => TextPrefix.Scheme.Always,
            "first" => TextPrefix.Scheme.First,
            "never" => TextPrefix.Scheme.Never,
            var other => throw field.Error($"the prepend_scheme '{other}' is not supported"),
        };
        SetPrefix(field, new TextPrefix(replacement[0], scheme));
        if (field.Flag("split", absent: true))
        {
            _stages.Add(SplitStage.OfLiteral(replacement, field.File, SplitBehavior.MergedWithNext));
        }
    }

    private void ReadSplit(JsonField field)
    {
        var pattern = field.Required("pattern");
        var behavior = Behavior(field.Required("behavior"));
        var invert = field.Flag("invert");
        if (pattern.Optional("Regex") is { } regex)
        {
            Add(regex, regex.AsString(), behavior, invert);
        }
        else
        {
            var literal = pattern.Required("String");
            _stages.Add(Guard(literal, () => SplitStage.OfLiteral(literal.AsString(), field.File, behavior, invert)));
        }
    }

    private static SplitBehavior Behavior(JsonField behavior) => behavior.AsString() switch
    {
        "Isolated" => SplitBehavior.Isolated,
        "Removed" => SplitBehavior.Removed,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        var other => throw behavior.Error($"the behaviour '{other}' is not supported"),
    };

    private void Add(JsonField field, string regex, SplitBehavior behavior = SplitBehavior.Isolated, bool invert = false) =>
        _stages.Add(Guard(field, () => SplitStage.OfRegex(regex, field.File, behavior, invert)));

    private void SetPrefix(JsonField field, TextPrefix prefix)
    {
        if (_stages.Count > 0 || TextPrefix is not null)
        {
            throw field.Error("a space in front is supported only in the first pre-tokenizer");
        }

        TextPrefix = prefix;
    }

    /// <summary>Makes a pattern's complaint name the file and the field.</summary>
    internal static T Guard<T>(JsonField field, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (PatternException e)
        {
            throw field.Error($"this pattern cannot be used: {e.Message}", e);
        }
    }
}
