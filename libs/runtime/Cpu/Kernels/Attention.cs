using System.Runtime.CompilerServices;
using Parallax.Runtime.Cpu.Simd;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Cpu.Kernels;

/// <summary>
/// Attention of up to four queries that share a KV head, over their session's blocks (docs/numerics.md, "Attention"). KV is
/// walked in chunks of 64 positions by absolute position, with running maximum and rescaling (online softmax, Milakov
/// and Gimelshein 2018). Within a chunk: scores by one accumulator per position over dimensions in order; the maximum;
/// exp; the sum over 16 lanes by position mod 16; weighted values in position order. What a query sees depends on its
/// position and window alone, so tiles, batches and prefill or decode cannot differ.
/// </summary>
internal static unsafe class Attention<TIsa, TF, TI>
    where TIsa : struct, IIsa<TF, TI>
    where TF : unmanaged
    where TI : unmanaged
{
    /// <summary>Queries per tile.</summary>
    public const int Tile = 4;

    private const int Chunk = 64;
    private const int Block = KvGroup.BlockTokens;

    /// <summary>
    /// Computes queries [first, first + count) of the slice, numbered row * HeadsPerKv + head within the KV head.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in AttentionArgs args, CpuKv kv, int first, int count)
    {
        var dims = kv.PaddedHeadDim;
        var queries = stackalloc float*[Tile];
        var begins = stackalloc int[Tile];
        var ends = stackalloc int[Tile];
        var maxima = stackalloc float[Tile];
        var sums = stackalloc float[Tile * 16];
        var scores = stackalloc float[Tile * Chunk];
        var accumulators = stackalloc float[Tile * dims];
        var firstPosition = int.MaxValue;
        var lastPosition = 0;
        for (var i = 0; i < Tile; i++)
        {
            // Queries beyond the count repeat the last one and are not stored.
            var query = first + Math.Min(i, count - 1);
            var row = query / args.HeadsPerKv;
            var position = args.StartPosition + row;
            queries[i] = args.Queries + ((long)row * args.QueryStride)
                + ((long)((args.KvHead * args.HeadsPerKv) + (query % args.HeadsPerKv)) * args.HeadDim);
            begins[i] = args.Window > position ? 0 : position - args.Window + 1;
            ends[i] = position + 1;
            maxima[i] = float.NegativeInfinity;
            firstPosition = Math.Min(firstPosition, begins[i]);
            lastPosition = Math.Max(lastPosition, position);
        }

        new Span<float>(sums, Tile * 16).Clear();
        new Span<float>(accumulators, Tile * dims).Clear();
        for (var chunk = firstPosition / Chunk * Chunk; chunk <= lastPosition; chunk += Chunk)
        {
            var firstBlock = Math.Max(chunk, firstPosition) / Block;
            var lastBlock = Math.Min(chunk + Chunk - 1, lastPosition) / Block;
            for (var block = firstBlock; block <= lastBlock; block += 2)
            {
                var second = Math.Min(block + 1, lastBlock);
                for (var lane = 0; lane < Block; lane += TIsa.Lanes)
                {
                    ScorePair(
                        queries,
                        kv.Keys(args.BlockTable[block], args.KvHead),
                        kv.Keys(args.BlockTable[second], args.KvHead),
                        kv.IsBf16,
                        lane,
                        args.HeadDim,
                        TIsa.Broadcast(args.Scale),
                        scores + ((block * Block) - chunk) + lane,
                        second != block);
                }
            }

            var whole = true;
            for (var i = 0; i < count; i++)
            {
                whole &= begins[i] <= chunk && ends[i] >= chunk + Chunk;
            }

            for (var i = 0; i < count; i++)
            {
                var begin = Math.Max(begins[i], chunk);
                var end = Math.Min(ends[i], chunk + Chunk);
                if (begin >= end)
                {
                    continue;
                }

                var alpha = Softmax(scores + (i * Chunk), begin - chunk, end - chunk, ref maxima[i], sums + (i * 16));
                Rescale(accumulators + (i * dims), dims, alpha);
                if (!whole)
                {
                    for (var block = begin / Block; block <= (end - 1) / Block; block++)
                    {
                        AddOne(
                            accumulators + (i * dims),
                            dims,
                            scores + (i * Chunk) + ((block * Block) - chunk),
                            kv.Values(args.BlockTable[block], args.KvHead),
                            kv.IsBf16,
                            Math.Max(begin - (block * Block), 0),
                            Math.Min(end - (block * Block), Block));
                    }
                }
            }

            if (whole)
            {
                for (var block = firstBlock; block <= lastBlock; block++)
                {
                    AddFour(
                        accumulators,
                        dims,
                        scores + ((block * Block) - chunk),
                        kv.Values(args.BlockTable[block], args.KvHead),
                        kv.IsBf16);
                }
            }
        }

        for (var i = 0; i < count; i++)
        {
            var query = first + i;
            var target = args.Output + ((long)(query / args.HeadsPerKv) * args.OutputStride)
                + ((long)((args.KvHead * args.HeadsPerKv) + (query % args.HeadsPerKv)) * args.HeadDim);
            var inverse = 1f / Reduce.Sum(sums + (i * 16));
            for (var d = 0; d < args.HeadDim; d++)
            {
                target[d] = accumulators[(i * dims) + d] * inverse;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TF LoadElement(byte* source, bool isBf16, int element) =>
        isBf16 ? TIsa.LoadBf16((ushort*)source + element) : TIsa.Load((float*)source + element);

    /// <summary>Scores of four queries against two blocks of keys: one accumulator per position, dimensions in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScorePair(
        float** queries, byte* keysA, byte* keysB, bool isBf16, int lane, int headDim, TF scale, float* target, bool storeB)
    {
        TF a0 = TIsa.Zero, a1 = TIsa.Zero, a2 = TIsa.Zero, a3 = TIsa.Zero;
        TF b0 = TIsa.Zero, b1 = TIsa.Zero, b2 = TIsa.Zero, b3 = TIsa.Zero;
        float* q0 = queries[0], q1 = queries[1], q2 = queries[2], q3 = queries[3];
        for (var d = 0; d < headDim; d++)
        {
            var a = LoadElement(keysA, isBf16, (d * Block) + lane);
            var b = LoadElement(keysB, isBf16, (d * Block) + lane);
            var q = TIsa.Broadcast(q0[d]);
            a0 = TIsa.Fma(a, q, a0);
            b0 = TIsa.Fma(b, q, b0);
            q = TIsa.Broadcast(q1[d]);
            a1 = TIsa.Fma(a, q, a1);
            b1 = TIsa.Fma(b, q, b1);
            q = TIsa.Broadcast(q2[d]);
            a2 = TIsa.Fma(a, q, a2);
            b2 = TIsa.Fma(b, q, b2);
            q = TIsa.Broadcast(q3[d]);
            a3 = TIsa.Fma(a, q, a3);
            b3 = TIsa.Fma(b, q, b3);
        }

        TIsa.Store(target, TIsa.Mul(a0, scale));
        TIsa.Store(target + Chunk, TIsa.Mul(a1, scale));
        TIsa.Store(target + (2 * Chunk), TIsa.Mul(a2, scale));
        TIsa.Store(target + (3 * Chunk), TIsa.Mul(a3, scale));
        if (storeB)
        {
            TIsa.Store(target + Block, TIsa.Mul(b0, scale));
            TIsa.Store(target + Chunk + Block, TIsa.Mul(b1, scale));
            TIsa.Store(target + (2 * Chunk) + Block, TIsa.Mul(b2, scale));
            TIsa.Store(target + (3 * Chunk) + Block, TIsa.Mul(b3, scale));
        }
    }

    /// <summary>
    /// Turns scores [begin, end) of a chunk into weights e^(score - maximum), others of their 16 into 0; updates maximum and
    /// lane sums; returns the factor for what was accumulated before.
    /// </summary>
    private static float Softmax(float* scores, int begin, int end, ref float maximum, float* sums)
    {
        // Masked lanes of the first and last 16 become minus infinity, whose exponential is 0.
        var firstLane = begin / 16 * 16;
        var lastLane = (end + 15) / 16 * 16;
        for (var i = firstLane; i < begin; i++)
        {
            scores[i] = float.NegativeInfinity;
        }

        for (var i = end; i < lastLane; i++)
        {
            scores[i] = float.NegativeInfinity;
        }

        var highest = float.NegativeInfinity;
        for (var i = firstLane; i < lastLane; i += 16)
        {
            highest = Math.Max(highest, Reduce.Max(scores + i));
        }

        var next = Math.Max(maximum, highest);
        var alpha = float.IsNegativeInfinity(maximum) ? 0f : Numerics.ScalarMath.Exp(maximum - next);
        maximum = next;
        var shift = TIsa.Broadcast(next);
        var factor = TIsa.Broadcast(alpha);
        for (var lane = 0; lane < 16; lane += TIsa.Lanes)
        {
            var sum = TIsa.Mul(TIsa.Load(sums + lane), factor);
            for (var i = firstLane + lane; i < lastLane; i += 16)
            {
                var weight = VectorMath<TIsa, TF, TI>.Exp(TIsa.Sub(TIsa.Load(scores + i), shift));
                TIsa.Store(scores + i, weight);
                sum = TIsa.Add(sum, weight);
            }

            TIsa.Store(sums + lane, sum);
        }

        return alpha;
    }

    private static void Rescale(float* accumulator, int dims, float alpha)
    {
        var factor = TIsa.Broadcast(alpha);
        for (var d = 0; d < dims; d += TIsa.Lanes)
        {
            TIsa.Store(accumulator + d, TIsa.Mul(TIsa.Load(accumulator + d), factor));
        }
    }

    /// <summary>Adds a block's values, positions [begin, end) in order, to one query's accumulator.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOne(float* accumulator, int dims, float* weights, byte* values, bool isBf16, int begin, int end)
    {
        var d = 0;
        for (; d + (4 * TIsa.Lanes) <= dims; d += 4 * TIsa.Lanes)
        {
            var a0 = TIsa.Load(accumulator + d);
            var a1 = TIsa.Load(accumulator + d + TIsa.Lanes);
            var a2 = TIsa.Load(accumulator + d + (2 * TIsa.Lanes));
            var a3 = TIsa.Load(accumulator + d + (3 * TIsa.Lanes));
            for (var i = begin; i < end; i++)
            {
                var weight = TIsa.Broadcast(weights[i]);
                var at = (i * dims) + d;
                a0 = TIsa.Fma(weight, LoadElement(values, isBf16, at), a0);
                a1 = TIsa.Fma(weight, LoadElement(values, isBf16, at + TIsa.Lanes), a1);
                a2 = TIsa.Fma(weight, LoadElement(values, isBf16, at + (2 * TIsa.Lanes)), a2);
                a3 = TIsa.Fma(weight, LoadElement(values, isBf16, at + (3 * TIsa.Lanes)), a3);
            }

            TIsa.Store(accumulator + d, a0);
            TIsa.Store(accumulator + d + TIsa.Lanes, a1);
            TIsa.Store(accumulator + d + (2 * TIsa.Lanes), a2);
            TIsa.Store(accumulator + d + (3 * TIsa.Lanes), a3);
        }

        for (; d < dims; d += TIsa.Lanes)
        {
            var a = TIsa.Load(accumulator + d);
            for (var i = begin; i < end; i++)
            {
                a = TIsa.Fma(TIsa.Broadcast(weights[i]), LoadElement(values, isBf16, (i * dims) + d), a);
            }

            TIsa.Store(accumulator + d, a);
        }
    }

    /// <summary>Adds a whole block's values, positions in order, to four queries' accumulators.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFour(float* accumulators, int dims, float* weights, byte* values, bool isBf16)
    {
        var d = 0;
        for (; d + (2 * TIsa.Lanes) <= dims; d += 2 * TIsa.Lanes)
        {
            var t0 = accumulators + d;
            var t1 = t0 + dims;
            var t2 = t1 + dims;
            var t3 = t2 + dims;
            TF a0 = TIsa.Load(t0), a1 = TIsa.Load(t1), a2 = TIsa.Load(t2), a3 = TIsa.Load(t3);
            TF b0 = TIsa.Load(t0 + TIsa.Lanes), b1 = TIsa.Load(t1 + TIsa.Lanes), b2 = TIsa.Load(t2 + TIsa.Lanes), b3 = TIsa.Load(t3 + TIsa.Lanes);
            for (var i = 0; i < Block; i++)
            {
                var v = LoadElement(values, isBf16, (i * dims) + d);
                var u = LoadElement(values, isBf16, (i * dims) + d + TIsa.Lanes);
                var weight = TIsa.Broadcast(weights[i]);
                a0 = TIsa.Fma(weight, v, a0);
                b0 = TIsa.Fma(weight, u, b0);
                weight = TIsa.Broadcast(weights[Chunk + i]);
                a1 = TIsa.Fma(weight, v, a1);
                b1 = TIsa.Fma(weight, u, b1);
                weight = TIsa.Broadcast(weights[(2 * Chunk) + i]);
                a2 = TIsa.Fma(weight, v, a2);
                b2 = TIsa.Fma(weight, u, b2);
                weight = TIsa.Broadcast(weights[(3 * Chunk) + i]);
                a3 = TIsa.Fma(weight, v, a3);
                b3 = TIsa.Fma(weight, u, b3);
            }

            TIsa.Store(t0, a0);
            TIsa.Store(t1, a1);
            TIsa.Store(t2, a2);
            TIsa.Store(t3, a3);
            TIsa.Store(t0 + TIsa.Lanes, b0);
            TIsa.Store(t1 + TIsa.Lanes, b1);
            TIsa.Store(t2 + TIsa.Lanes, b2);
            TIsa.Store(t3 + TIsa.Lanes, b3);
        }

        for (; d < dims; d += TIsa.Lanes)
        {
            for (var query = 0; query < Tile; query++)
            {
                var target = accumulators + (query * dims) + d;
                var a = TIsa.Load(target);
                for (var i = 0; i < Block; i++)
                {
                    a = TIsa.Fma(TIsa.Broadcast(weights[(query * Chunk) + i]), LoadElement(values, isBf16, (i * dims) + d), a);
                }

                TIsa.Store(target, a);
            }
        }
    }
}
