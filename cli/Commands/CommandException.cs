using Parallax.Runtime;

namespace Parallax.Cli.Commands;

/// <summary>A command was not given, or did not come to a good end; the message says why.</summary>
internal sealed class CommandException(string message, Exception? cause = null) : ParallaxException(message, cause);
