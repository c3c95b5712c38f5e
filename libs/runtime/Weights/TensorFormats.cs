namespace Parallax.Runtime.Weights;

/// <summary>Sizes of the stored formats.</summary>
public static class TensorFormats
{
    /// <summary>Elements per block: 1 for plain formats, 32 or 256 for block formats.</summary>
    public static int BlockElements(this TensorFormat format) => format switch
    {
        TensorFormat.F32 or TensorFormat.F16 or TensorFormat.BF16 => 1,
        TensorFormat.Q4_0 or TensorFormat.Q4_1 or TensorFormat.Q5_0 or TensorFormat.Q5_1 or TensorFormat.Q8_0 => 32,
        TensorFormat.Q4_K or TensorFormat.Q5_K or TensorFormat.Q6_K => 256,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "unknown tensor format"),
    };

    /// <summary>Bytes per block.</summary>
    public static int BlockBytes(this TensorFormat format) => format switch
    {
        TensorFormat.F32 => 4,
        TensorFormat.F16 or TensorFormat.BF16 => 2,
        TensorFormat.Q4_0 => 18,
        TensorFormat.Q4_1 => 20,
        TensorFormat.Q5_0 => 22,
        TensorFormat.Q5_1 => 24,
        TensorFormat.Q8_0 => 34,
        TensorFormat.Q4_K => 144,
        TensorFormat.Q5_K => 176,
        TensorFormat.Q6_K => 210,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "unknown tensor format"),
    };

    /// <summary>Bytes of a row of <paramref name="elements"/> elements, which must fill whole blocks.</summary>
    public static long RowBytes(this TensorFormat format, long elements)
    {
        var perBlock = format.BlockElements();
        if (elements % perBlock != 0)
        {
            throw new ArgumentException($"{elements} elements do not fill whole blocks of {perBlock} ({format})", nameof(elements));
        }

        return checked(elements / perBlock * format.BlockBytes());
    }
}
