using Parallax.Runtime;

namespace Parallax.Overlay;

/// <summary>The overlay cannot do what was asked; the message says why and what to do.</summary>
public sealed class OverlayException : ParallaxException
{
    public OverlayException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
