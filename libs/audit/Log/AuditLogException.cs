using Parallax.Runtime;

namespace Parallax.Audit.Log;

/// <summary>The local log cannot be opened, written or read; names the file.</summary>
public class AuditLogException(string message, Exception? cause = null) : ParallaxException(message, cause);
