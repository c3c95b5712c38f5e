namespace Parallax.Runtime.Execution;

/// <summary>Whether the residual stream is rounded to bf16 after every layer (and the embedding), or never.</summary>
public enum ResidualPrecision
{
    /// <summary>Rounded to bf16, nearest even, after every layer in every shard. KV is kept in bf16.</summary>
    BF16,

    /// <summary>Never rounded. KV is kept in f32.</summary>
    F32,
}

/// <summary>How hidden states travel between stages.</summary>
public enum LinkPrecision
{
    /// <summary>As they are: bf16 or f32, by the residual precision.</summary>
    Exact,

    /// <summary>In blocks of 32 signed bytes with one scale: about half of bf16's bytes, and other results wherever the model is cut.</summary>
    Blocks8,
}

/// <summary>
/// What must agree for two computations to give the same bits (session protocol, "Numeric class and exactness").
/// </summary>
/// <param name="ArithmeticVersion">Version of docs/numerics.md.</param>
/// <param name="WeightsHash">Hash of the model's weights, hex.</param>
/// <param name="Residual">Residual precision; KV precision follows it.</param>
/// <param name="Backend">Backend family, e.g. <c>cpu</c>.</param>
public sealed record NumericClass(int ArithmeticVersion, string WeightsHash, ResidualPrecision Residual, string Backend)
{
    /// <summary>
    /// Precision on links. <see cref="LinkPrecision.Blocks8"/> is a class of its own whose results depend on the cut: a path
    /// over other cuts gives other bits under the same fingerprint.
    /// </summary>
    public LinkPrecision Links { get; init; }

    /// <summary>The short text that clients see as <c>system_fingerprint</c>.</summary>
    public string Fingerprint => $"{Backend}-v{ArithmeticVersion}-{(Residual == ResidualPrecision.BF16 ? "bf16" : "f32")}{(Links == LinkPrecision.Blocks8 ? "-q8links" : "")}-{WeightsHash[..Math.Min(8, WeightsHash.Length)]}";
}
