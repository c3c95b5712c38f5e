namespace Parallax.Runtime.Cpu;

/// <summary>Which instruction set the kernels use. Results are the same bits with each.</summary>
public enum VectorWidth
{
    /// <summary>The widest that the processor has.</summary>
    Best,

    /// <summary>No vector instructions; the reference.</summary>
    Scalar,

    /// <summary>128 bits: SSE or Arm NEON.</summary>
    V128,

    /// <summary>256 bits: AVX2 with FMA.</summary>
    V256,

    /// <summary>512 bits: AVX-512.</summary>
    V512,
}
