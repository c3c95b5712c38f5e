using Parallax.Runtime;

namespace Parallax.Cli.Shards;

/// <summary>A worker refused an operation on its shards, or could not be asked; the message says why.</summary>
internal sealed class ShardsException(string message, Exception? cause = null) : ParallaxException(message, cause);
