using Parallax.Transport.Compression;

namespace Parallax.Transport.Framing;

/// <summary>How a row's payload is laid out. The values are the wire's; numbers are little-endian.</summary>
public enum TensorType
{
    /// <summary>No payload; the width is 0.</summary>
    None = 0,

    /// <summary>bfloat16, 2 bytes an element.</summary>
    Bf16 = 1,

    /// <summary>IEEE binary32, 4 bytes an element.</summary>
    F32 = 2,

    /// <summary>Blocks of 32 elements: one f32 scale and 32 signed bytes (<see cref="Q8Block"/>); a numeric class of its own.</summary>
    Q8Block = 3,

    /// <summary>Pairs (int32 token id, f32 log probability), 8 bytes a pair; the first pair is the sampled token's.</summary>
    LogProb = 4,
}

/// <summary>Sizes of payload rows.</summary>
public static class TensorTypes
{
    /// <summary>
    /// Bytes of one row of <paramref name="width"/> elements, or -1 when the type is unknown or the width does not fit
    /// it: negative, above <see cref="FrameLimits.MaxWidth"/>, not 0 for None, 0 for any other type.
    /// </summary>
    public static int RowBytes(TensorType type, int width)
    {
        if (type == TensorType.None)
        {
            return width == 0 ? 0 : -1;
        }

        if (width is <= 0 or > FrameLimits.MaxWidth)
        {
            return -1;
        }

        return type switch
        {
            TensorType.Bf16 => width * 2,
            TensorType.F32 => width * 4,
            TensorType.Q8Block => Q8Block.EncodedBytes(width),
            TensorType.LogProb => width * 8,
            _ => -1,
        };
    }
}
