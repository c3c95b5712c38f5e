using Parallax.Runtime;

namespace Parallax.Identity;

/// <summary>A key, a token, a certificate or a swarm's folder cannot be used, or a member refused; the message says why and what to do.</summary>
public class IdentityException(string message, Exception? cause = null) : ParallaxException(message, cause);
