namespace Parallax.Runtime.Tokenization.Normalization;

/// <summary>A change of the text before it is cut into pieces. Immutable.</summary>
internal interface ITextNormalizer
{
    /// <summary>The changed text; the same object when nothing changes.</summary>
    string Normalize(string text);
}
