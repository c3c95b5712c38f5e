using Parallax.Runtime.Cpu.Kernels;
using Parallax.Runtime.Cpu.Simd;

namespace Parallax.Runtime.Sampling;

/// <summary>The passes in the registers of one instruction set.</summary>
internal sealed unsafe class LogitKernels<TIsa, TF, TI> : LogitKernels
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    public override int ArgMax(ReadOnlySpan<float> logits, out float max)
    {
        max = float.NegativeInfinity;
        var bestChunk = 0;
        fixed (float* source = logits)
        {
            var whole = logits.Length / ChunkLength * ChunkLength;
            for (var offset = 0; offset < whole; offset += ChunkLength)
            {
                var largest = TIsa.Load(source + offset);
                for (var i = TIsa.Lanes; i < ChunkLength; i += TIsa.Lanes)
                {
                    largest = TIsa.Max(largest, TIsa.Load(source + offset + i));
                }

                var chunkMax = LargestLane(largest);
                if (chunkMax > max)
                {
                    max = chunkMax;
                    bestChunk = offset;
                }
            }

            for (var id = whole; id < logits.Length; id++)
            {
                if (source[id] > max)
                {
                    max = source[id];
                    bestChunk = id;
                }
            }
        }

        // Zeros of both signs are equal: the first that is not below the maximum.
        var at = bestChunk;
        while (logits[at] < max)
        {
            at++;
        }

        return at;
    }

    protected override float ScaleChunk(float* source, float max, float temperature, float* scaled, float* weights)
    {
        var origin = TIsa.Broadcast(max);
        var divisor = TIsa.Broadcast(temperature);
        var largest = TIsa.Broadcast(float.NegativeInfinity);
        for (var i = 0; i < ChunkLength; i += TIsa.Lanes)
        {
            var value = TIsa.Div(TIsa.Sub(TIsa.Load(source + i), origin), divisor);
            TIsa.Store(scaled + i, value);
            TIsa.Store(weights + i, VectorMath<TIsa, TF, TI>.Exp(value));
            largest = TIsa.Max(largest, value);
        }

        return LargestLane(largest);
    }

    private static float LargestLane(TF value)
    {
        var lanes = stackalloc float[16];
        TIsa.Store(lanes, value);
        var largest = lanes[0];
        for (var i = 1; i < TIsa.Lanes; i++)
        {
            largest = lanes[i] > largest ? lanes[i] : largest;
        }

        return largest;
    }
}
