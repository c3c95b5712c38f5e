namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>A split pattern that is malformed, too large, or uses a construct that is not supported.</summary>
internal sealed class PatternException(string message) : Exception(message);
