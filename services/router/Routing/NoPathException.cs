using Parallax.Runtime;

namespace Parallax.Router.Routing;

/// <summary>There is no path for a request.</summary>
/// <param name="message">Why, with the figures.</param>
/// <param name="isFull">Whether there are paths and only room is lacking.</param>
internal sealed class NoPathException(string message, bool isFull) : ParallaxException(message)
{
    /// <summary>Whether there are paths and only room is lacking: trying later makes sense.</summary>
    public bool IsFull { get; } = isFull;
}
