namespace Parallax.Runtime.Cpu;

/// <summary>What happens to a linear layer's result.</summary>
internal enum LinearMode
{
    /// <summary>out = x W^T + bias.</summary>
    Store,

    /// <summary>out = out + (x W^T + bias).</summary>
    Add,

    /// <summary>The same, then rounded to bf16 (the end of a layer in the bf16 class).</summary>
    AddRound,
}

/// <summary>Inputs and outputs of one linear layer, for kernels. Strides are in elements.</summary>
internal unsafe struct LinearArgs
{
    /// <summary>Input rows (tokens).</summary>
    public int Rows;

    /// <summary>Input [rows, XStride], f32, zero beyond the columns.</summary>
    public float* X;

    public int XStride;

    /// <summary>
    /// Input quantised per block of 32: [rows, QStride] shorts, each four columns in the order k0, k2, k1, k3 of the kernels.
    /// </summary>
    public short* Q;

    public int QStride;

    /// <summary>Scale of each block of 32: [rows, BlockStride].</summary>
    public float* Scale;

    /// <summary>Scale times the sum of the block's integers: [rows, BlockStride].</summary>
    public float* ScaledSum;

    public int BlockStride;

    /// <summary>Sum of the integers of each 16: [rows, 2 * BlockStride].</summary>
    public int* Sum16;

    /// <summary>Output [rows, OutStride].</summary>
    public float* Out;

    public int OutStride;

    /// <summary>Bias [columns of the output], or null.</summary>
    public float* Bias;

    public LinearMode Mode;
}
