using Parallax.Runtime;

namespace Parallax.Audit.Retention;

/// <summary>Nothing can be retired; says why.</summary>
public sealed class RetentionException(string message) : ParallaxException(message);
