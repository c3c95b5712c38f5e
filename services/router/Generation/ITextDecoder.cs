namespace Parallax.Router.Generation;

/// <summary>
/// Turns one answer's token ids into text as they come. Holds back what is not yet certain: half characters, and text
/// that may be the beginning of a stop string.
/// </summary>
internal interface ITextDecoder
{
    /// <summary>
    /// Takes the next token.
    /// </summary>
    /// <param name="id">The token.</param>
    /// <param name="stopped">Whether a stop string is complete; the text before it is returned, nothing may follow.</param>
    /// <returns>The text that is certain now; often empty.</returns>
    string Push(int id, out bool stopped);

    /// <summary>The answer ended without a stop string: the text still held back.</summary>
    string Finish();
}
