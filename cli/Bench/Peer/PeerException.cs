using Parallax.Runtime;

namespace Parallax.Cli.Bench.Peer;

/// <summary>The peer cannot be had or failed; the message says why and what to do.</summary>
internal sealed class PeerException(string message, Exception? cause = null) : ParallaxException(message, cause)
{
    /// <summary>Whether it died of an instruction that this machine advertises but does not run.</summary>
    public bool IsIllegalInstruction { get; init; }
}
