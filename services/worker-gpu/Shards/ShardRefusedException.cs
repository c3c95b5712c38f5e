using Parallax.Runtime;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>An operation on shards was refused, and nothing has changed; the message says why, with the figures.</summary>
public sealed class ShardRefusedException(ShardRefusal refusal, string message) : ParallaxException(message)
{
    /// <summary>Why.</summary>
    public ShardRefusal Refusal => refusal;
}
