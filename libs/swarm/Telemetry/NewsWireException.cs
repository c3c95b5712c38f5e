using Parallax.Runtime;

namespace Parallax.Swarm.Telemetry;

/// <summary>A server cannot be used now; the message says why and what to do.</summary>
internal sealed class NewsWireException : ParallaxException
{
    public NewsWireException(string message, bool isRefusal, Exception? cause = null)
        : base(message, cause) => IsRefusal = isRefusal;

    /// <summary>Whether it answered and refused, so that trying again soon is no use.</summary>
    public bool IsRefusal { get; }
}
