using Parallax.Runtime;

namespace Parallax.Router.Access.Tls;

/// <summary>A certificate or its key cannot be used; says which, why, and what to do.</summary>
internal sealed class TlsException(string message, Exception? cause = null) : ParallaxException(message, cause);
