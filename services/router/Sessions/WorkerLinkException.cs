using Parallax.Runtime;

namespace Parallax.Router.Sessions;

/// <summary>A worker that does not keep to the protocol; the link starts anew.</summary>
internal class WorkerLinkException(string message) : ParallaxException(message);
