using Parallax.Runtime.Models;

namespace Parallax.Runtime.Execution;

/// <summary>What a backend needs to run one layer's attention core.</summary>
/// <param name="Spec">Heads, dimensions, window, rotation.</param>
/// <param name="KvGroupIndex">Which of a slice's block tables it uses.</param>
/// <param name="Kv">The layer's blocks.</param>
/// <param name="QueryNorm">RMS norm per query head [headDim], or null.</param>
/// <param name="KeyNorm">RMS norm per key head [headDim], or null.</param>
/// <param name="NormEpsilon">Epsilon of those norms.</param>
public sealed record AttentionLayer(
    AttentionSpec Spec, int KvGroupIndex, DeviceKv Kv, DeviceVector? QueryNorm, DeviceVector? KeyNorm, float NormEpsilon);
