namespace Parallax.Runtime.Tokenization;

/// <summary>A token that is found in the text before anything else happens to it.</summary>
/// <param name="Id">The token's id.</param>
/// <param name="Content">The text that it stands for.</param>
/// <param name="Special">Whether it is a control token: not found in what a user typed, not shown in output.</param>
/// <param name="Normalized">Whether it is looked for after normalisation, not before.</param>
/// <param name="SingleWord">Whether it counts only where no word character touches it.</param>
/// <param name="StripLeft">Whether it takes the white space before it along.</param>
/// <param name="StripRight">Whether it takes the white space after it along.</param>
internal sealed record AddedToken(
    int Id,
    string Content,
    bool Special,
    bool Normalized = false,
    bool SingleWord = false,
    bool StripLeft = false,
    bool StripRight = false);
