using Parallax.Runtime.Numerics;
using Parallax.Runtime.Sampling;

namespace Parallax.UnitTests.Sampling;

/// <summary>The sampler's meaning, written down plainly in double precision with a full sort.</summary>
internal static class ReferenceSampling
{
    public static double[] Distribution(
        ReadOnlySpan<float> logits, SamplingParameters p, int[] prompt, int[] answer, int tokenIndex, Func<int, bool>? allowed = null)
    {
        var x = logits.ToArray().Select(logit => (double)logit).ToArray();
        foreach (var id in prompt.Concat(answer).Distinct())
        {
            x[id] = x[id] > 0 ? x[id] / p.RepetitionPenalty : x[id] * p.RepetitionPenalty;
        }

        foreach (var group in answer.GroupBy(id => id))
        {
            x[group.Key] -= (p.FrequencyPenalty * (double)group.Count()) + p.PresencePenalty;
        }

        foreach (var (id, bias) in p.LogitBias)
        {
            x[id] += bias;
        }

        for (var id = 0; id < x.Length; id++)
        {
            var banned = (tokenIndex < p.MinTokens && p.StopTokenIds.Contains(id)) || allowed?.Invoke(id) == false;
            x[id] = banned ? double.NegativeInfinity : x[id];
        }

        var order = Enumerable.Range(0, x.Length).OrderByDescending(id => x[id]).ThenBy(id => id).ToArray();
        var max = x[order[0]];
        var weights = x.Select(value => p.Temperature == 0 ? 0 : Weight((value - max) / p.Temperature)).ToArray();
        if (p.Temperature == 0)
        {
            weights[order[0]] = 1;
        }

        var kept = order.AsEnumerable();
        if (p.Temperature > 0 && p.TopK > 0 && p.TopK < x.Length)
        {
            kept = kept.Where(id => x[id] >= x[order[p.TopK - 1]]);
        }

        if (p.Temperature > 0 && p.TopP < 1)
        {
            kept = Prefix(kept.ToArray(), weights, p.TopP);
        }

        var final = kept.Where(id => p.Temperature == 0 || weights[id] >= p.MinP).ToHashSet();
        var mass = final.Sum(id => weights[id]);
        return [.. weights.Select((weight, id) => final.Contains(id) ? weight / mass : 0)];
    }

    private static double Weight(double scaled) => scaled < -87 ? 0 : ScalarMath.Exp(scaled);

    private static IEnumerable<int> Prefix(int[] sorted, double[] weights, double share)
    {
        var goal = share * sorted.Sum(id => weights[id]);
        var mass = 0.0;
        foreach (var id in sorted)
        {
            yield return id;
            mass += weights[id];
            if (mass >= goal)
            {
                yield break;
            }
        }
    }
}
