namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>A split pattern's syntax tree.</summary>
internal abstract record PatternNode
{
    /// <summary>Matches the empty text.</summary>
    internal sealed record Nothing : PatternNode;

    /// <summary>Matches one code point of a set.</summary>
    internal sealed record Point(CodePointSet Set) : PatternNode;

    /// <summary>Matches its parts one after another.</summary>
    internal sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode;

    /// <summary>Matches the first option that lets the rest match.</summary>
    internal sealed record Choice(IReadOnlyList<PatternNode> Options) : PatternNode;

    /// <summary>Matches its body <paramref name="Min"/> to <paramref name="Max"/> times, null for no limit.</summary>
    internal sealed record Repeat(PatternNode Body, int Min, int? Max, bool Lazy) : PatternNode;

    /// <summary>Matches the empty text before a code point of a set, or before the end when that is allowed.</summary>
    internal sealed record Before(CodePointSet Set, bool OrEnd) : PatternNode;
}
