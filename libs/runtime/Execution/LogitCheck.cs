using System.Numerics;
using System.Runtime.InteropServices;

namespace Parallax.Runtime.Execution;

/// <summary>Tells whether logits can be sampled from.</summary>
internal static class LogitCheck
{
    /// <summary>Whether no logit is NaN or +infinity and at least one is above -infinity.</summary>
    public static bool IsSound(ReadOnlySpan<float> logits)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var any = false;
        foreach (var vector in vectors)
        {
            if (!Vector.LessThanAll(vector, new Vector<float>(float.PositiveInfinity)))
            {
                return false;
            }

            any = any || Vector.GreaterThanAny(vector, new Vector<float>(float.NegativeInfinity));
        }

        foreach (var logit in logits[(vectors.Length * Vector<float>.Count)..])
        {
            if (!(logit < float.PositiveInfinity))
            {
                return false;
            }

            any = any || logit > float.NegativeInfinity;
        }

        return any;
    }
}
