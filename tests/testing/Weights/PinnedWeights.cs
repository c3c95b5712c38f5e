using System.Runtime.InteropServices;
using Parallax.Runtime.Weights;

namespace Parallax.Testing.Weights;

/// <summary>A stored tensor in memory, for kernels: random blocks of any format, or given bytes.</summary>
internal sealed unsafe class PinnedWeights
{
    private readonly byte[] _bytes;

    public PinnedWeights(TensorFormat format, int rows, int columns, ReadOnlySpan<byte> bytes, string name = "test")
    {
        _bytes = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(_bytes);
        Tensor = new WeightTensor(name, format, rows, columns, (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0));
        if ((long)rows * Tensor.RowLength != bytes.Length)
        {
            throw new ArgumentException($"{bytes.Length} bytes are not [{rows}, {columns}] of {format}");
        }
    }

    /// <summary>Valid while this is reachable.</summary>
    public WeightTensor Tensor { get; }

    /// <summary>Random codes; scales of either sign in the range of real checkpoints, some zero or subnormal.</summary>
    public static PinnedWeights Random(TensorFormat format, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[format.RowBytes(columns) * rows];
        if (format is TensorFormat.F32 or TensorFormat.F16 or TensorFormat.BF16)
        {
            for (var i = 0; i < bytes.Length; i += format.BlockBytes())
            {
                WritePlain(format, bytes.AsSpan(i), random);
            }

            return new PinnedWeights(format, rows, columns, bytes);
        }

        random.NextBytes(bytes);
        int[] scales = format switch
        {
            TensorFormat.Q4_0 or TensorFormat.Q5_0 or TensorFormat.Q8_0 => [0],
            TensorFormat.Q6_K => [208],
            _ => [0, 2],
        };
        for (var block = 0; block < bytes.Length; block += format.BlockBytes())
        {
            foreach (var at in scales)
            {
                MemoryMarshal.Write(bytes.AsSpan(block + at), (Half)Scale(random));
            }
        }

        return new PinnedWeights(format, rows, columns, bytes);
    }

    public static PinnedWeights Of(int rows, int columns, params float[] values) =>
        new(TensorFormat.F32, rows, columns, MemoryMarshal.AsBytes<float>(values));

    /// <summary>One row, decoded by the scalar decoder.</summary>
    public float[] Row(int row)
    {
        var values = new float[Tensor.Columns];
        BlockDecoder.Decode(Tensor.Format, Tensor.Row(row), values);
        return values;
    }

    private static float Scale(Random random) => random.Next(24) switch
    {
        0 => 0f,
        1 => 5.9604645e-8f * (1 + random.Next(1023)),
        _ => (random.NextSingle() - 0.5f) * 0.1f,
    };

    private static void WritePlain(TensorFormat format, Span<byte> target, Random random)
    {
        var value = (random.NextSingle() - 0.5f) * (random.Next(16) == 0 ? 1e-6f : 1f);
        switch (format)
        {
            case TensorFormat.F32:
                MemoryMarshal.Write(target, value);
                break;
            case TensorFormat.F16:
                MemoryMarshal.Write(target, (Half)value);
                break;
            default:
                MemoryMarshal.Write(target, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
                break;
        }
    }
}
