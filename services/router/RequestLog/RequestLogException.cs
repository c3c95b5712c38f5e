using Parallax.Runtime;

namespace Parallax.Router.RequestLog;

/// <summary>The request log cannot be opened or written; names the file.</summary>
internal sealed class RequestLogException(string message, Exception? cause = null) : ParallaxException(message, cause);
