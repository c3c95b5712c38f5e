namespace Parallax.Runtime.Weights;

/// <summary>A tensor type of GGUF: its name, its block, and the weight format when weights of it can be opened.</summary>
/// <param name="Name">As the format calls it.</param>
/// <param name="BlockElements">Elements per block.</param>
/// <param name="BlockBytes">Bytes per block.</param>
/// <param name="Format">Null when such weights are not supported.</param>
internal sealed record GgufTensorType(string Name, int BlockElements, int BlockBytes, TensorFormat? Format = null)
{
    private static readonly Dictionary<uint, GgufTensorType> ById = new()
    {
        [0] = Supported(TensorFormat.F32),
        [1] = Supported(TensorFormat.F16),
        [2] = Supported(TensorFormat.Q4_0),
        [3] = Supported(TensorFormat.Q4_1),
        [6] = Supported(TensorFormat.Q5_0),
        [7] = Supported(TensorFormat.Q5_1),
        [8] = Supported(TensorFormat.Q8_0),
        [9] = new("Q8_1", 32, 36),
        [10] = new("Q2_K", 256, 84),
        [11] = new("Q3_K", 256, 110),
        [12] = Supported(TensorFormat.Q4_K),
        [13] = Supported(TensorFormat.Q5_K),
        [14] = Supported(TensorFormat.Q6_K),
        [15] = new("Q8_K", 256, 292),
        [16] = new("IQ2_XXS", 256, 66),
        [17] = new("IQ2_XS", 256, 74),
        [18] = new("IQ3_XXS", 256, 98),
        [19] = new("IQ1_S", 256, 50),
        [20] = new("IQ4_NL", 32, 18),
        [21] = new("IQ3_S", 256, 110),
        [22] = new("IQ2_S", 256, 82),
        [23] = new("IQ4_XS", 256, 136),
        [24] = new("I8", 1, 1),
        [25] = new("I16", 1, 2),
        [26] = new("I32", 1, 4),
        [27] = new("I64", 1, 8),
        [28] = new("F64", 1, 8),
        [29] = new("IQ1_M", 256, 56),
        [30] = Supported(TensorFormat.BF16),
        [34] = new("TQ1_0", 256, 54),
        [35] = new("TQ2_0", 256, 66),
        [39] = new("MXFP4", 32, 17),
    };

    /// <summary>The type with that number, or null when we do not know it.</summary>
    public static GgufTensorType? Find(uint id) => ById.GetValueOrDefault(id);

    private static GgufTensorType Supported(TensorFormat format) =>
        new(format.ToString(), format.BlockElements(), format.BlockBytes(), format);
}
