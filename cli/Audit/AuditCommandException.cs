using Parallax.Runtime;

namespace Parallax.Cli.Audit;

/// <summary>The audit cannot be read, or not what was asked of it; says what to do.</summary>
internal sealed class AuditCommandException(string message, Exception? cause = null) : ParallaxException(message, cause);
