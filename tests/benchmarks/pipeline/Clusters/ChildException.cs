using Parallax.Runtime;

namespace Parallax.PipelineBenchmark.Clusters;

/// <summary>A program that the benchmark needs has failed; the message carries what it said.</summary>
internal sealed class ChildException(string message) : ParallaxException(message);
