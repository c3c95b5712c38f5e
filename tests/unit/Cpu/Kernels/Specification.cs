using Parallax.Runtime.Cpu.Packing;
using Parallax.Runtime.Models;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>
/// docs/numerics.md written down a second time, plainly: one output at a time, no tiles, no packing, no vectors. Kernels
/// must give these bits.
/// </summary>
internal static class Specification
{
    /// <summary>The sum over 16 lanes: lane j takes j, j + 16, ... by fused multiply-add; then the tree.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var lanes = new float[16];
        for (var k = 0; k < a.Length; k++)
        {
            lanes[k % 16] = MathF.FusedMultiplyAdd(a[k], b[k], lanes[k % 16]);
        }

        return Tree(lanes);
    }

    public static float Linear(WeightTensor weights, int row, ReadOnlySpan<float> x)
    {
        if (weights.Format.BlockElements() > 1)
        {
            return Quantized(weights.Format, weights.Row(row), x);
        }

        var values = new float[x.Length];
        BlockDecoder.Decode(weights.Format, weights.Row(row), values);
        return Dot(values, x);
    }

    public static void Norm(Span<float> x, ReadOnlySpan<float> weight, float epsilon)
    {
        var inverse = 1f / MathF.Sqrt((Dot(x, x) / x.Length) + epsilon);
        for (var k = 0; k < x.Length; k++)
        {
            x[k] = x[k] * inverse * weight[k];
        }
    }

    public static float Silu(float x) => x / (1f + ScalarMath.Exp(0f - Math.Max(x, -88f)));

    public static void Rotate(Span<float> head, RopeSpec rope, int position)
    {
        for (var i = 0; i < rope.RotaryDim / 2; i++)
        {
            var frequency = ScalarMath.Pow(rope.Theta, -2.0 * i / rope.RotaryDim) / rope.LinearFactor;
            var (sine, cosine) = ScalarMath.SinCos(position * frequency);
            var (first, second) = rope.Layout == RopeLayout.Halves ? (i, i + (rope.RotaryDim / 2)) : (2 * i, (2 * i) + 1);
            var (a, b) = (head[first], head[second]);
            head[first] = MathF.FusedMultiplyAdd(a, (float)cosine, 0f - (b * (float)sine));
            head[second] = MathF.FusedMultiplyAdd(b, (float)cosine, a * (float)sine);
        }
    }

    /// <summary>One query head over the cached keys and values of its KV head, [position][offset + dimension].</summary>
    public static float[] Attend(ReadOnlySpan<float> query, List<float[]> keys, List<float[]> values, int offset, int position, int? window, float scale)
    {
        var begin = window is { } size ? Math.Max(0, position - size + 1) : 0;
        var output = new float[query.Length];
        var lanes = new float[16];
        var maximum = float.NegativeInfinity;
        for (var chunk = begin / 64 * 64; chunk <= position; chunk += 64)
        {
            var from = Math.Max(begin, chunk);
            var to = Math.Min(position, chunk + 63);
            var scores = new float[to + 1 - from];
            for (var p = from; p <= to; p++)
            {
                var score = 0f;
                for (var d = 0; d < query.Length; d++)
                {
                    score = MathF.FusedMultiplyAdd(keys[p][offset + d], query[d], score);
                }

                scores[p - from] = score * scale;
            }

            var next = Math.Max(maximum, scores.Max());
            var alpha = float.IsNegativeInfinity(maximum) ? 0f : ScalarMath.Exp(maximum - next);
            maximum = next;
            for (var i = 0; i < 16; i++)
            {
                lanes[i] *= alpha;
            }

            for (var d = 0; d < output.Length; d++)
            {
                output[d] *= alpha;
            }

            for (var p = from; p <= to; p++)
            {
                var weight = ScalarMath.Exp(scores[p - from] - maximum);
                lanes[p % 16] += weight;
                for (var d = 0; d < output.Length; d++)
                {
                    output[d] = MathF.FusedMultiplyAdd(weight, values[p][offset + d], output[d]);
                }
            }
        }

        var inverse = 1f / Tree(lanes);
        for (var d = 0; d < output.Length; d++)
        {
            output[d] *= inverse;
        }

        return output;
    }

    /// <summary>Ids of the chosen experts, ascending, and their weights, from the router's logits.</summary>
    public static (int Expert, float Weight)[] Route(float[] logits, int topK, bool normalize)
    {
        var max = logits.Max();
        var exponentials = logits.Select(logit => ScalarMath.Exp(logit - max)).ToArray();
        var sum = 0f;
        foreach (var value in exponentials)
        {
            sum += value;
        }

        var chosen = Enumerable.Range(0, logits.Length).OrderByDescending(e => exponentials[e]).ThenBy(e => e).Take(topK).Order()
            .Select(e => (Expert: e, Weight: exponentials[e] / sum)).ToArray();
        var total = 0f;
        foreach (var (_, weight) in chosen)
        {
            total += weight;
        }

        return normalize ? [.. chosen.Select(choice => (choice.Expert, choice.Weight / total))] : chosen;
    }

    private static float Tree(float[] lanes)
    {
        var values = lanes.ToArray();
        for (var half = 8; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
            {
                values[i] += values[i + half];
            }
        }

        return values[0];
    }

    private static float Quantized(TensorFormat format, ReadOnlySpan<byte> row, ReadOnlySpan<float> x)
    {
        var accumulator = 0f;
        Span<byte> codes = stackalloc byte[32];
        var fields = new BlockFields { Codes = codes };
        for (var block = 0; block < x.Length / 32; block++)
        {
            fields.Read(format, row, block);
            var (q, scale) = Quantize(x.Slice(block * 32, 32));
            int low = 0, high = 0, sumLow = 0, sumHigh = 0;
            for (var k = 0; k < 16; k++)
            {
                low += Code(format, codes[k]) * q[k];
                high += Code(format, codes[k + 16]) * q[k + 16];
                sumLow += q[k];
                sumHigh += q[k + 16];
            }

            var d = HalfFloats.FromF16Finite(fields.Scale);
            var m = HalfFloats.FromF16Finite(fields.Minimum);
            var sum = scale * (sumLow + sumHigh);
            switch (format)
            {
                case TensorFormat.Q6_K:
                    accumulator = MathF.FusedMultiplyAdd(d * (sbyte)fields.FactorLow * scale, low - (32 * sumLow), accumulator);
                    accumulator = MathF.FusedMultiplyAdd(d * (sbyte)fields.FactorHigh * scale, high - (32 * sumHigh), accumulator);
                    break;
                case TensorFormat.Q4_K or TensorFormat.Q5_K:
                    accumulator = MathF.FusedMultiplyAdd(d * fields.FactorLow * scale, low + high, accumulator);
                    accumulator = MathF.FusedMultiplyAdd(m * fields.MinimumFactor, sum, accumulator);
                    break;
                case TensorFormat.Q4_1 or TensorFormat.Q5_1:
                    accumulator = MathF.FusedMultiplyAdd(d * scale, low + high, accumulator);
                    accumulator = MathF.FusedMultiplyAdd(m, sum, accumulator);
                    break;
                default:
                    var offset = format switch { TensorFormat.Q4_0 => 8, TensorFormat.Q5_0 => 16, _ => 0 };
                    accumulator = MathF.FusedMultiplyAdd(d * scale, low + high - (offset * (sumLow + sumHigh)), accumulator);
                    break;
            }
        }

        return accumulator;
    }

    private static int Code(TensorFormat format, byte code) => format == TensorFormat.Q8_0 ? (sbyte)code : code;

    private static (int[] Q, float Scale) Quantize(ReadOnlySpan<float> block)
    {
        var max = 0f;
        foreach (var value in block)
        {
            max = Math.Max(max, Math.Abs(value));
        }

        var inverse = max < 1e-30f ? 0f : 32767f / max;
        var q = new int[32];
        for (var k = 0; k < 32; k++)
        {
            q[k] = (int)MathF.Round(block[k] * inverse, MidpointRounding.ToEven);
        }

        return (q, max < 1e-30f ? 0f : max / 32767f);
    }
}
