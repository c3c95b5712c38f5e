using Parallax.Runtime;

namespace Parallax.Cli.Swarm;

/// <summary>A command about a swarm cannot be carried out; the message says why.</summary>
internal sealed class SwarmCommandException(string message, Exception? cause = null) : ParallaxException(message, cause);
