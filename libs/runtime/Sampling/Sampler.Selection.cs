using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Sampling;

/// <summary>
/// Top-k, top-p, min-p, and the draw. Only the chunks of logits whose largest value can matter are looked at again. A
/// candidate is (magnitude of its scaled logit, id) in one word: scaled logits are at most 0, so that ascending words are
/// descending logits with ties to the lower id.
/// </summary>
public sealed partial class Sampler
{
    // Top-p's first pass sorts by the scaled logit into bins of this fraction, and only the bin on the edge exactly.
    private const int BinsPerUnit = 16;
    private const int Bins = 2_048;

    // Where top-p looks first: tokens down to e^-6 of the most probable one.
    private const float QuickFloor = -6f;

    private readonly RadixSelection _selection = new();
    private readonly double[] _binMass = new double[Bins];
    private readonly ulong[] _candidates;
    private readonly ulong[] _boundary;
    private readonly ulong[] _chunkOrder;

    /// <summary>
    /// Scales the logits and collects the tokens that are kept, ascending by id. Returns their number, or -1 when all are
    /// kept and none are collected.
    /// </summary>
    private int Select(ReadOnlySpan<float> logits, float max, SamplingParameters parameters)
    {
        _kernels.Scale(logits, max, parameters.Temperature, _scaled, _weights, _chunkMax, _chunkMass);
        var usesTopK = parameters.TopK > 0 && parameters.TopK < VocabularySize;
        var count = -1;
        if (usesTopK)
        {
            count = CollectTopK(parameters.TopK);
        }

        if (parameters.TopP < 1)
        {
            var goal = parameters.TopP * (usesTopK ? MassOf(_candidates.AsSpan(0, count)) : TotalMass());
            count = usesTopK ? count : CollectMass(goal);
            count = KeepMass(count, goal);
        }

        if (parameters.MinP > 0)
        {
            // The most probable token has the weight 1.
            count = count >= 0 ? count : Collect(MinPFloor(parameters.MinP));
            count = KeepWeights(count, parameters.MinP);
        }

        return count;
    }

    /// <summary>A little below the scaled logit whose weight is the limit: the weights themselves decide.</summary>
    private static float MinPFloor(float limit) => float.IsNormal(limit) ? (float)ScalarMath.Log((double)limit) - 0.01f : float.NegativeInfinity;

    /// <summary>
    /// All tokens with a scaled logit at or above the floor; except those of weight 0, which cannot be drawn, unless
    /// <paramref name="withNegligible"/> asks for all above -infinity.
    /// </summary>
    private int Collect(float floor, bool withNegligible = false)
    {
        var count = 0;
        for (var chunk = 0; chunk < _chunkMax.Length; chunk++)
        {
            if (!(_chunkMax[chunk] >= floor))
            {
                continue;
            }

            var start = chunk * LogitKernels.ChunkLength;
            var end = Math.Min(start + LogitKernels.ChunkLength, VocabularySize);
            for (var id = start; id < end; id++)
            {
                if (_scaled[id] >= floor && (_weights[id] > 0 || (withNegligible && _scaled[id] > float.NegativeInfinity)))
                {
                    _candidates[count++] = Candidate(id);
                }
            }
        }

        return count;
    }

    private ulong Candidate(int id) => (ulong)Magnitude(_scaled[id]) << 32 | (uint)id;

    private static uint Magnitude(float scaled) => BitConverter.SingleToUInt32Bits(scaled) & 0x7FFF_FFFF;

    /// <summary>The k largest and the ties of the k-th. Each of the k largest chunk maxima is one of k tokens as large.</summary>
    private int CollectTopK(int k, bool withNegligible = false)
    {
        var count = Collect(ChunkFloor(k), withNegligible);
        if (count <= k)
        {
            return count;
        }

        var limit = _selection.UpperHalfAt(_candidates.AsSpan(0, count), k - 1);
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            if ((uint)(_candidates[i] >> 32) <= limit)
            {
                _candidates[kept++] = _candidates[i];
            }
        }

        return kept;
    }

    /// <summary>The k-th largest of the chunks' maxima, or -infinity if there are fewer.</summary>
    private float ChunkFloor(int k)
    {
        if (k > _chunkMax.Length)
        {
            return float.NegativeInfinity;
        }

        for (var chunk = 0; chunk < _chunkMax.Length; chunk++)
        {
            _chunkOrder[chunk] = (ulong)Magnitude(_chunkMax[chunk]) << 32;
        }

        return -BitConverter.UInt32BitsToSingle(_selection.UpperHalfAt(_chunkOrder, k - 1));
    }

    /// <summary>Tokens from the most probable down to some level, together at least the goal.</summary>
    private int CollectMass(double goal)
    {
        // All tokens below the sure floor together weigh less than what may be missing. Most often a short look suffices.
        var missing = TotalMass() - goal;
        var share = missing / VocabularySize;
        var sureFloor = share > 1e-30 ? (float)ScalarMath.Log(share) - 0.01f : float.NegativeInfinity;
        if (sureFloor < QuickFloor)
        {
            var count = Collect(QuickFloor);

            // A margin for sums in another order: too many candidates do no harm.
            if (MassOf(_candidates.AsSpan(0, count)) >= goal * (1 + 1e-9))
            {
                return count;
            }
        }

        return Collect(sureFloor);
    }

    /// <summary>The shortest prefix, by descending probability and ascending id, whose mass reaches the goal.</summary>
    private int KeepMass(int count, double goal)
    {
        Array.Clear(_binMass);
        foreach (var candidate in _candidates.AsSpan(0, count))
        {
            _binMass[BinOf(candidate)] += _weights[IdOf(candidate)];
        }

        var (edge, below) = (0, 0.0);
        while (edge < Bins && below + _binMass[edge] < goal)
        {
            below += _binMass[edge++];
        }

        if (edge == Bins)
        {
            return count;
        }

        var last = LastWithin(count, edge, below, goal);
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            if (_candidates[i] <= last)
            {
                _candidates[kept++] = _candidates[i];
            }
        }

        return kept;
    }

    /// <summary>The candidate of a bin with which the mass below the bin reaches the goal.</summary>
    private ulong LastWithin(int count, int bin, double mass, double goal)
    {
        var length = 0;
        foreach (var candidate in _candidates.AsSpan(0, count))
        {
            if (BinOf(candidate) == bin)
            {
                _boundary[length++] = candidate;
            }
        }

        var boundary = _boundary.AsSpan(0, length);
        boundary.Sort();
        foreach (var candidate in boundary)
        {
            mass += _weights[IdOf(candidate)];
            if (mass >= goal)
            {
                return candidate;
            }
        }

        return boundary[^1];
    }

    private static int BinOf(ulong candidate) =>
        (int)Math.Min(BitConverter.UInt32BitsToSingle((uint)(candidate >> 32)) * BinsPerUnit, Bins - 1);

    private int KeepWeights(int count, float limit)
    {
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            if (_weights[IdOf(_candidates[i])] >= limit)
            {
                _candidates[kept++] = _candidates[i];
            }
        }

        return kept;
    }

    private double MassOf(ReadOnlySpan<ulong> candidates)
    {
        var mass = 0.0;
        foreach (var candidate in candidates)
        {
            mass += _weights[IdOf(candidate)];
        }

        return mass;
    }

    private double TotalMass()
    {
        var mass = 0.0;
        foreach (var chunk in _chunkMass)
        {
            mass += chunk;
        }

        return mass;
    }

    /// <summary>The token in whose share of the mass, laid out by id, the random number falls.</summary>
    private int DrawFrom(ReadOnlySpan<ulong> candidates, double uniform)
    {
        var target = uniform * MassOf(candidates);
        var mass = 0.0;
        foreach (var candidate in candidates)
        {
            mass += _weights[IdOf(candidate)];
            if (mass > target)
            {
                return IdOf(candidate);
            }
        }

        // Rounding put the target on the very end.
        return IdOf(candidates[^1]);
    }

    private int DrawFromAll(double uniform)
    {
        var target = uniform * TotalMass();
        var mass = 0.0;
        var last = 0;
        for (var chunk = 0; chunk < _chunkMass.Length; chunk++)
        {
            if (mass + _chunkMass[chunk] <= target && chunk + 1 < _chunkMass.Length)
            {
                mass += _chunkMass[chunk];
                continue;
            }

            var start = chunk * LogitKernels.ChunkLength;
            var inside = mass;
            for (var id = start; id < Math.Min(start + LogitKernels.ChunkLength, VocabularySize); id++)
            {
                inside += _weights[id];
                last = _weights[id] > 0 ? id : last;
                if (inside > target)
                {
                    return last;
                }
            }

            // The chunk's sum was taken in another order and rounded up: its last token has the rest.
            if (_chunkMass[chunk] > 0)
            {
                return last;
            }
        }

        return LastWithWeight();
    }

    private int LastWithWeight()
    {
        var id = VocabularySize - 1;
        while (!(_weights[id] > 0))
        {
            id--;
        }

        return id;
    }
}
