using Parallax.Runtime;

namespace Parallax.Router.Access.Keys;

/// <summary>Something that cannot be done with API keys; says why and what to do.</summary>
internal sealed class KeyException(string message, Exception? cause = null) : ParallaxException(message, cause);
