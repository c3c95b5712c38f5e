using Parallax.Runtime;

namespace Parallax.Bus;

/// <summary>The bus cannot be used as it is described, or not just now; the message says which, why, and what to do.</summary>
public sealed class BusException(string message, Exception? cause = null) : ParallaxException(message, cause);
