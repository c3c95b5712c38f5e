using Parallax.Runtime;

namespace Parallax.Swarm;

/// <summary>The swarm cannot be joined or used; the message says why and what to do.</summary>
public sealed class SwarmException(string message, Exception? cause = null) : ParallaxException(message, cause);
