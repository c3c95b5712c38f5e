namespace Parallax.Runtime.Sampling;

/// <summary>Which tokens may be drawn next, for structured output. Applied after penalties and bias, before temperature.</summary>
public interface ITokenMask
{
    /// <summary>
    /// One bit per id, id i in bit i % 64 of word i / 64; 1 allows. Covers the vocabulary; read during the call only.
    /// </summary>
    ReadOnlySpan<ulong> Allowed { get; }
}
