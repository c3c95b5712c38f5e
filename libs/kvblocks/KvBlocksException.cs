using Parallax.Runtime;

namespace Parallax.KvBlocks;

/// <summary>A store of KV blocks cannot be used; the message says why and what to do.</summary>
public sealed class KvBlocksException(string message, Exception? cause = null) : ParallaxException(message, cause);
