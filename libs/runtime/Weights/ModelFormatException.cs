namespace Parallax.Runtime.Weights;

/// <summary>
/// A model file that is cut short, lies about its sizes, misses a tensor, or asks for something unsupported.
/// The message names the file, the tensor or field, and what was expected.
/// </summary>
public sealed class ModelFormatException : ParallaxException
{
    /// <summary>Names come from untrusted files: they must not flood or forge lines of a log.</summary>
    private const int MaxSubject = 200;
    private const int MaxMessage = 2000;

    /// <param name="file">The file or folder at fault, as the user named it.</param>
    /// <param name="problem">What was found and what was expected.</param>
    /// <param name="subject">The tensor or the metadata field at fault, if one is.</param>
    /// <param name="cause">The underlying error, if any.</param>
    public ModelFormatException(string file, string problem, string? subject = null, Exception? cause = null)
        : base(Printable(subject is null ? $"{file}: {problem}" : $"{file}: '{Printable(subject, MaxSubject)}': {problem}", MaxMessage), cause)
    {
        File = file;
        Subject = subject;
    }

    /// <summary>The file or folder at fault.</summary>
    public string File { get; }

    /// <summary>The tensor or metadata field at fault, or null.</summary>
    public string? Subject { get; }

    private static string Printable(string text, int most)
    {
        var cut = text.Length <= most ? text : string.Concat(text.AsSpan(0, most), "...");
        return cut.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 ? cut : string.Concat(cut.Select(c => char.IsControl(c) ? '?' : c));
    }
}
