namespace Parallax.Runtime.Execution;

/// <summary>Whether the residual stream is rounded to bf16 after every layer (and the embedding), or never.</summary>
public enum ResidualPrecision
{
    /// <summary>Rounded to bf16, nearest even, after every layer in every shard. KV is kept in bf16.</summary>
    BF16,

    /// <summary>Never rounded. KV is kept in f32.</summary>
    F32,
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
    /// <summary>The short text that clients see as <c>system_fingerprint</c>.</summary>
    public string Fingerprint => $"{Backend}-v{ArithmeticVersion}-{(Residual == ResidualPrecision.BF16 ? "bf16" : "f32")}-{WeightsHash[..Math.Min(8, WeightsHash.Length)]}";
}
