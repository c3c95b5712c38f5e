using Parallax.Runtime;

namespace Parallax.Audit.Index;

/// <summary>The index cannot be used, or something was asked of it that it cannot answer.</summary>
public sealed class AuditIndexException(string message, Exception? cause = null) : ParallaxException(message, cause);
