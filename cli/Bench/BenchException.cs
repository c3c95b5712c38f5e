using Parallax.Runtime;

namespace Parallax.Cli.Bench;

/// <summary>A measurement could not be made; the message says why.</summary>
internal sealed class BenchException(string message, Exception? cause = null) : ParallaxException(message, cause);
