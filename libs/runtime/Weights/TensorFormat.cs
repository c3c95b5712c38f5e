namespace Parallax.Runtime.Weights;

/// <summary>How the elements of a stored tensor are encoded. Block formats are those of GGUF v3.</summary>
public enum TensorFormat
{
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4_K,
    Q5_K,
    Q6_K,
}
