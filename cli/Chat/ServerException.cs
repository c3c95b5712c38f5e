using Parallax.Runtime;

namespace Parallax.Cli.Chat;

/// <summary>The server refused, failed or is not there; the message says what to do.</summary>
internal sealed class ServerException(string message, Exception? cause = null) : ParallaxException(message, cause);
