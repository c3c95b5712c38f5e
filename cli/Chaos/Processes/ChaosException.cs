using Parallax.Runtime;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>The local swarm could not be brought to work; the message carries what its processes said.</summary>
internal sealed class ChaosException(string message) : ParallaxException(message);
