using System.Runtime.Intrinsics;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Cpu.Simd;

namespace Parallax.Runtime.Sampling;

/// <summary>The passes over all logits, by chunks of <see cref="ChunkLength"/>; the same bits on every instruction set.</summary>
internal abstract unsafe class LogitKernels
{
    /// <summary>Logits per chunk. What a chunk's largest value rules out needs no second look.</summary>
    public const int ChunkLength = 256;

    public static LogitKernels Create(VectorWidth width) => width switch
    {
        VectorWidth.V512 => new LogitKernels<Isa512, Vector512<float>, Vector512<int>>(),
        VectorWidth.V256 => new LogitKernels<Isa256, Vector256<float>, Vector256<int>>(),
        VectorWidth.V128 => new LogitKernels<Isa128, Vector128<float>, Vector128<int>>(),
        VectorWidth.Scalar => new LogitKernels<IsaScalar, float, int>(),
        _ => Create(Widest()),
    };

    /// <summary>Id of the largest logit, the lowest of equals; and that logit. No logit may be NaN.</summary>
    public abstract int ArgMax(ReadOnlySpan<float> logits, out float max);

    /// <summary>
    /// For each id (logit - max) / temperature and e to that, and each chunk's largest scaled value and sum of weights. The
    /// outputs are whole chunks long; what lies beyond the logits becomes -infinity and 0.
    /// </summary>
    public void Scale(
        ReadOnlySpan<float> logits, float max, float temperature, Span<float> scaled, Span<float> weights, Span<float> chunkMax, Span<double> chunkMass)
    {
        var whole = logits.Length / ChunkLength;
        fixed (float* source = logits)
        fixed (float* scaledStart = scaled)
        fixed (float* weightStart = weights)
        {
            for (var chunk = 0; chunk < whole; chunk++)
            {
                var offset = chunk * ChunkLength;
                chunkMax[chunk] = ScaleChunk(source + offset, max, temperature, scaledStart + offset, weightStart + offset);
                chunkMass[chunk] = Mass(weightStart + offset);
            }

            if (whole * ChunkLength < logits.Length)
            {
                var offset = whole * ChunkLength;
                var padded = stackalloc float[ChunkLength];
                new Span<float>(padded, ChunkLength).Fill(float.NegativeInfinity);
                logits[offset..].CopyTo(new Span<float>(padded, ChunkLength));
                chunkMax[whole] = ScaleChunk(padded, max, temperature, scaledStart + offset, weightStart + offset);
                chunkMass[whole] = Mass(weightStart + offset);
            }
        }
    }

    protected abstract float ScaleChunk(float* source, float max, float temperature, float* scaled, float* weights);

    /// <summary>
    /// A chunk's sum in double: lane j of 16 takes the weights j mod 16 in order, then the tree 16 -> 8 -> 4 -> 2 -> 1.
    /// Written with 128-bit registers, which every machine has.
    /// </summary>
    private static double Mass(float* weights)
    {
        var lanes = stackalloc double[16];
        for (var pair = 0; pair < 16; pair += 4)
        {
            var low = Vector128<double>.Zero;
            var high = Vector128<double>.Zero;
            for (var i = pair; i < ChunkLength; i += 16)
            {
                var four = Vector128.Load(weights + i);
                low += Vector128.WidenLower(four);
                high += Vector128.WidenUpper(four);
            }

            low.Store(lanes + pair);
            high.Store(lanes + pair + 2);
        }

        for (var half = 8; half > 0; half /= 2)
        {
            for (var lane = 0; lane < half; lane++)
            {
                lanes[lane] += lanes[lane + half];
            }
        }

        return lanes[0];
    }

    private static VectorWidth Widest() =>
        Isa512.IsSupported ? VectorWidth.V512
        : Isa256.IsSupported ? VectorWidth.V256
        : Isa128.IsSupported ? VectorWidth.V128
        : VectorWidth.Scalar;
}
