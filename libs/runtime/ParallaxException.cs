namespace Parallax.Runtime;

/// <summary>The base of errors that a user can act on; the message says what was wrong and what to do.</summary>
public abstract class ParallaxException : Exception
{
    /// <summary>Creates the error with its message and, optionally, its cause.</summary>
    protected ParallaxException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
