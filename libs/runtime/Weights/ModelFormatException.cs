namespace Parallax.Runtime.Weights;

/// <summary>
/// A model file that is cut short, lies about its sizes, misses a tensor, or asks for something unsupported.
/// The message names the file, the tensor or field, and what was expected.
/// </summary>
public sealed class ModelFormatException : ParallaxException
{
    /// <param name="file">The file or folder at fault, as the user named it.</param>
    /// <param name="problem">What was found and what was expected.</param>
    /// <param name="subject">The tensor or the metadata field at fault, if one is.</param>
    /// <param name="cause">The underlying error, if any.</param>
    public ModelFormatException(string file, string problem, string? subject = null, Exception? cause = null)
        : base(subject is null ? $"{file}: {problem}" : $"{file}: '{subject}': {problem}", cause)
    {
        File = file;
        Subject = subject;
    }

    /// <summary>The file or folder at fault.</summary>
    public string File { get; }

    /// <summary>The tensor or metadata field at fault, or null.</summary>
    public string? Subject { get; }
}
