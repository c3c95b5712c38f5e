using Parallax.Runtime;

namespace Parallax.ModelFiles;

/// <summary>A model's files cannot be had; the message says why and what to do.</summary>
public sealed class ModelFilesException : ParallaxException
{
    /// <param name="problem">Which kind of trouble.</param>
    /// <param name="message">What was wrong and what to do.</param>
    /// <param name="cause">What it came from, if anything.</param>
    public ModelFilesException(ModelFilesProblem problem, string message, Exception? cause = null)
        : base(message, cause) => Problem = problem;

    /// <summary>Which kind of trouble.</summary>
    public ModelFilesProblem Problem { get; }
}
