using System.Collections.Immutable;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Numerics;

namespace Parallax.Runtime.Sampling;

/// <summary>Log-probabilities under the model's own distribution: the log-softmax of the logits as they came.</summary>
public sealed partial class Sampler
{
    private float[]? _raw;
    private double _rawNormalizer;

    /// <summary>Keeps the raw logits, and gives the most probable tokens, best first, ties to the lower id.</summary>
    private ImmutableArray<TokenLogProb> MeasureRaw(ReadOnlySpan<float> logits, int alternatives)
    {
        _raw ??= new float[VocabularySize];
        logits.CopyTo(_raw);
        _kernels.ArgMax(logits, out var max);
        _kernels.Scale(logits, max, 1f, _scaled, _weights, _chunkMax, _chunkMass);
        _rawNormalizer = max + ScalarMath.Log(TotalMass());
        if (alternatives == 0)
        {
            return [];
        }

        var top = _candidates.AsSpan(0, CollectTopK(alternatives, withNegligible: true));
        top.Sort();
        var builder = ImmutableArray.CreateBuilder<TokenLogProb>(Math.Min(alternatives, top.Length));
        for (var i = 0; i < builder.Capacity; i++)
        {
            builder.Add(new TokenLogProb(IdOf(top[i]), RawLogProb(IdOf(top[i]))));
        }

        return builder.MoveToImmutable();
    }

    private float RawLogProb(int id) => (float)(_raw![id] - _rawNormalizer);
}
