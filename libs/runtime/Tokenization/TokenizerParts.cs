using Parallax.Runtime.Tokenization.Normalization;
using Parallax.Runtime.Tokenization.Splitting;

namespace Parallax.Runtime.Tokenization;

/// <summary>Everything that makes a <see cref="BpeTokenizer"/>, as a loader read it.</summary>
internal sealed record TokenizerParts
{
    /// <summary>The file, for messages.</summary>
    public required string File { get; init; }

    /// <summary>The vocabulary by its bytes; without tokens whose text is outside a byte-level alphabet.</summary>
    public required TokenIndex Index { get; init; }

    /// <summary>What each id adds to a decoded text.</summary>
    public required TokenTable Decoded { get; init; }

    /// <summary>Tokens that <see cref="Index"/> lacks, by content.</summary>
    public required IReadOnlyDictionary<string, int> NamedTokens { get; init; }

    public required BpeModel Model { get; init; }

    /// <summary>At most one per id and per content; ids below <see cref="TokenTable.Size"/>.</summary>
    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }

    public IReadOnlyList<ITextNormalizer> Normalizers { get; init; } = [];

    public TextPrefix? TextPrefix { get; init; }

    public IReadOnlyList<SplitStage> Stages { get; init; } = [];

    /// <summary>Ids before a text that gets special tokens.</summary>
    public IReadOnlyList<int> Prefix { get; init; } = [];

    /// <summary>Ids after a text that gets special tokens.</summary>
    public IReadOnlyList<int> Suffix { get; init; } = [];

    /// <summary>Spaces that a decoded text loses at its start.</summary>
    public int LeadingSpaces { get; init; }

    public string? BosToken { get; init; }

    public string? EosToken { get; init; }
}
