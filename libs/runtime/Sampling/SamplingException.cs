namespace Parallax.Runtime.Sampling;

/// <summary>No token can be drawn: the logits are not numbers, or every token is excluded. The message says which.</summary>
public sealed class SamplingException(string message) : ParallaxException(message);
