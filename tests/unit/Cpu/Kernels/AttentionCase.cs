using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Cpu.Kernels;

/// <summary>
/// Norm, rotation, KV and attention of two sessions over two steps: a prefill of both, then the rest of the first beside
/// one row of the second. The result holds queries, keys and values after rotation, then the attention's output, per step.
/// </summary>
internal sealed record AttentionCase : IKernelCase
{
    private const int Other = 21;

    public required int HeadDim { get; init; }

    public required int KvHeads { get; init; }

    /// <summary>Query heads per KV head.</summary>
    public required int Group { get; init; }

    public int? Window { get; init; }

    public ResidualPrecision Precision { get; init; } = ResidualPrecision.BF16;

    public RopeLayout Layout { get; init; }

    /// <summary>Elements that rotate; 0 for all.</summary>
    public int RotaryDim { get; init; }

    /// <summary>Large enough, it leaves no rotation: then a result depends on the attention alone.</summary>
    public double LinearFactor { get; init; } = 1;

    public bool HeadNorms { get; init; }

    /// <summary>Positions of the first session, and how many of them come in the first step.</summary>
    public required int Length { get; init; }

    public required int First { get; init; }

    public int Seed { get; init; } = 1;

    private int Heads => KvHeads * Group;

    private int QueryWidth => Inputs.Pad(Heads * HeadDim);

    private int KeyWidth => Inputs.Pad(KvHeads * HeadDim);

    private int Width => QueryWidth + (2 * KeyWidth);

    private AttentionSpec Spec => new()
    {
        Heads = Heads,
        KvHeads = KvHeads,
        HeadDim = HeadDim,
        Scale = 1f / MathF.Sqrt(HeadDim),
        Window = Window,
        Rope = new RopeSpec { Layout = Layout, Theta = 10000, RotaryDim = RotaryDim == 0 ? HeadDim : RotaryDim, LinearFactor = LinearFactor },
        Query = default,
        Key = default,
        Value = default,
        Output = default,
    };

    public float[] Run(IComputeBackend backend)
    {
        var blocks = ((Length + 15) / 16) + ((Other + 16) / 16);
        var order = Enumerable.Range(0, blocks).ToArray();
        new Random(Seed).Shuffle(order);
        int[] first = order[..((Length + 15) / 16)];
        int[] second = order[((Length + 15) / 16)..];
        using var kv = backend.AllocateKv(Spec, blocks, Precision);
        using var queryNorm = HeadNorms ? backend.LoadVector([(NormWeight(1).Tensor, HeadDim)]) : null;
        using var keyNorm = HeadNorms ? backend.LoadVector([(NormWeight(2).Tensor, HeadDim)]) : null;
        var layer = new AttentionLayer(Spec, 0, kv, queryNorm, keyNorm, 1e-5f);
        var matrices = new[] { Heads * HeadDim, KvHeads * HeadDim, KvHeads * HeadDim }
            .Select(rows => backend.LoadMatrix(PinnedWeights.Random(TensorFormat.F32, rows, 1, 1).Tensor)).ToArray();
        using var qkv = backend.AllocateTensor(matrices);
        using var output = backend.AllocateTensor(Heads * HeadDim);
        var result = new List<float>();
        foreach (var step in Steps())
        {
            var batch = new StepBatch();
            batch.Add(new int[step.Rows1], step.Start1, [first], false);
            batch.Add(new int[step.Rows2], step.Start2, [second], false);
            backend.BeginStep(batch, 1);
            qkv.Resize(batch.RowCount);
            qkv.Upload(step.Qkv);
            backend.StoreKv(layer, qkv);
            backend.Attend(layer, qkv, output);
            result.AddRange(qkv.Download());
            result.AddRange(output.Download());
        }

        foreach (var matrix in matrices)
        {
            matrix.Dispose();
        }

        return [.. result];
    }

    public float[] Specified()
    {
        var result = new List<float>();
        List<float[]>[] keys = [[], []];
        List<float[]>[] values = [[], []];
        foreach (var step in Steps())
        {
            var qkv = step.Qkv.ToArray();
            var rows = step.Rows1 + step.Rows2;
            for (var row = 0; row < rows; row++)
            {
                var (session, position) = Place(step, row);
                var whole = qkv.AsSpan(row * Width, Width);
                for (var head = 0; head < Heads + KvHeads; head++)
                {
                    var part = whole.Slice(head < Heads ? head * HeadDim : QueryWidth + ((head - Heads) * HeadDim), HeadDim);
                    if (HeadNorms)
                    {
                        Specification.Norm(part, NormWeight(head < Heads ? 1 : 2).Row(0), 1e-5f);
                    }

                    Specification.Rotate(part, Spec.Rope, position);
                }

                keys[session].Add(Cached(whole.Slice(QueryWidth, KvHeads * HeadDim)));
                values[session].Add(Cached(whole.Slice(QueryWidth + KeyWidth, KvHeads * HeadDim)));
            }

            result.AddRange(qkv);
            for (var row = 0; row < rows; row++)
            {
                var (session, position) = Place(step, row);
                for (var head = 0; head < Heads; head++)
                {
                    var query = qkv.AsSpan((row * Width) + (head * HeadDim), HeadDim);
                    result.AddRange(Specification.Attend(
                        query, keys[session], values[session], head / Group * HeadDim, position, Window, Spec.Scale));
                }
            }
        }

        return [.. result];
    }

    public double WorstError(float[] result)
    {
        var worst = 0.0;
        var at = 0;
        List<float[]>[] keys = [[], []];
        List<float[]>[] values = [[], []];
        foreach (var step in Steps())
        {
            var rows = step.Rows1 + step.Rows2;
            var qkv = result.AsSpan(at, rows * Width).ToArray();
            var output = result.AsSpan(at + qkv.Length, rows * Heads * HeadDim).ToArray();
            at += qkv.Length + output.Length;
            for (var row = 0; row < rows; row++)
            {
                var (session, position) = Place(step, row);
                var before = step.Qkv.AsSpan(row * Width, Width).ToArray();
                var after = qkv.AsSpan(row * Width, Width).ToArray();
                worst = Math.Max(worst, RotationError(before, after, position));
                keys[session].Add(Cached(after.AsSpan(QueryWidth, KvHeads * HeadDim)));
                values[session].Add(Cached(after.AsSpan(QueryWidth + KeyWidth, KvHeads * HeadDim)));
            }

            for (var row = 0; row < rows; row++)
            {
                var (session, position) = Place(step, row);
                for (var head = 0; head < Heads; head++)
                {
                    // One in eleven, and every context around the borders of chunks.
                    if ((row + head) % 11 != 0 && (position + 2) % 64 > 4)
                    {
                        continue;
                    }

                    worst = Math.Max(worst, AttentionError(
                        qkv.AsSpan((row * Width) + (head * HeadDim), HeadDim).ToArray(),
                        keys[session],
                        values[session],
                        head / Group * HeadDim,
                        position,
                        output.AsSpan((row * Heads * HeadDim) + (head * HeadDim), HeadDim).ToArray()));
                }
            }
        }

        return at == result.Length ? worst : double.PositiveInfinity;
    }

    private static (int Session, int Position) Place((int Start1, int Rows1, int Start2, int Rows2, float[] Qkv) step, int row) =>
        row < step.Rows1 ? (0, step.Start1 + row) : (1, step.Start2 + row - step.Rows1);

    private PinnedWeights NormWeight(int seed) => PinnedWeights.Random(TensorFormat.F32, 1, HeadDim, Seed + seed);

    private IEnumerable<(int Start1, int Rows1, int Start2, int Rows2, float[] Qkv)> Steps()
    {
        yield return (0, First, 0, Other, Qkv(First + Other, Seed));
        if (First < Length)
        {
            yield return (First, Length - First, Other, 1, Qkv(Length - First + 1, Seed + 1));
        }
    }

    private float[] Qkv(int rows, int seed)
    {
        var random = new Random(seed);
        var values = new float[rows * Width];
        for (var i = 0; i < values.Length; i++)
        {
            var column = i % Width;
            var isPadding = column < QueryWidth ? column >= Heads * HeadDim : (column - QueryWidth) % KeyWidth >= KvHeads * HeadDim;
            values[i] = isPadding ? 0 : Inputs.Normal(random);
        }

        return values;
    }

    private float[] Cached(ReadOnlySpan<float> row)
    {
        var copy = row.ToArray();
        for (var i = 0; Precision == ResidualPrecision.BF16 && i < copy.Length; i++)
        {
            copy[i] = HalfFloats.RoundToBf16(copy[i]);
        }

        return copy;
    }

    /// <summary>Tolerance: 4e-7 of the pair's size (rounded angles, two products), 2e-6 with a norm before.</summary>
    private double RotationError(float[] before, float[] after, int position)
    {
        var worst = 0.0;
        var rotary = Spec.Rope.RotaryDim;
        for (var head = 0; head < Heads + KvHeads; head++)
        {
            var offset = head < Heads ? head * HeadDim : QueryWidth + ((head - Heads) * HeadDim);
            var x = before.AsSpan(offset, HeadDim).ToArray().Select(value => (double)value).ToArray();
            if (HeadNorms)
            {
                var weight = NormWeight(head < Heads ? 1 : 2).Row(0);
                var inverse = 1 / Math.Sqrt((x.Sum(value => value * value) / HeadDim) + 1e-5f);
                x = [.. x.Select((value, i) => value * inverse * weight[i])];
            }

            var size = x.Max(Math.Abs);
            for (var d = 0; d < HeadDim; d++)
            {
                var exact = x[d];
                if (d < rotary)
                {
                    var halves = Layout == RopeLayout.Halves;
                    var pair = halves ? d % (rotary / 2) : d / 2;
                    var isFirst = halves ? d < rotary / 2 : d % 2 == 0;
                    var partner = x[halves ? (isFirst ? d + (rotary / 2) : d - (rotary / 2)) : d ^ 1];
                    var (sine, cosine) = ScalarMath.SinCos(position * ScalarMath.Pow(10000, -2.0 * pair / rotary) / LinearFactor);
                    exact = isFirst ? (x[d] * cosine) - (partner * sine) : (x[d] * cosine) + (partner * sine);
                }

                var tolerance = (size * (HeadNorms ? 2e-6 : 4e-7)) + 1e-37;
                worst = Math.Max(worst, Math.Abs(after[offset + d] - exact) / tolerance);
            }
        }

        // Values are not touched.
        var values = QueryWidth + KeyWidth;
        return before.AsSpan(values).SequenceEqual(after.AsSpan(values)) ? worst : double.PositiveInfinity;
    }

    /// <summary>
    /// Tolerance, of the largest value: rounding of a score (a sum over the head's dimensions) turns into the same relative
    /// error of a weight; then exp to 2 ulp and one rounding per position.
    /// </summary>
    private double AttentionError(float[] query, List<float[]> keys, List<float[]> values, int offset, int position, float[] output)
    {
        var begin = Window is { } window ? Math.Max(0, position - window + 1) : 0;
        var scores = new double[position + 1 - begin];
        double largestScore = 0, largestValue = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            var magnitude = 0.0;
            for (var d = 0; d < HeadDim; d++)
            {
                var product = (double)query[d] * keys[begin + i][offset + d] * Spec.Scale;
                scores[i] += product;
                magnitude += Math.Abs(product);
                largestValue = Math.Max(largestValue, Math.Abs(values[begin + i][offset + d]));
            }

            largestScore = Math.Max(largestScore, magnitude);
        }

        var max = scores.Max();
        var weights = scores.Select(score => ScalarMath.Exp(Math.Max(score - max, -600))).ToArray();
        var sum = weights.Sum();
        var tolerance = largestValue * ((largestScore * HeadDim * 1.2e-7) + ((scores.Length + 20) * 1.2e-7));
        var worst = 0.0;
        for (var d = 0; d < HeadDim; d++)
        {
            var exact = 0.0;
            for (var i = 0; i < scores.Length; i++)
            {
                exact += weights[i] / sum * values[begin + i][offset + d];
            }

            worst = Math.Max(worst, Math.Abs(output[d] - exact) / tolerance);
        }

        return worst;
    }
}
