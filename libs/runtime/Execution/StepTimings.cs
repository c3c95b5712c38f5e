using System.Collections.Immutable;
using System.Numerics;

namespace Parallax.Runtime.Execution;

/// <summary>
/// How long steps take, as moving averages: decode steps per bucket of sessions, prompts per token. Written by the loop
/// only, after each step and without allocating; read by any thread.
/// </summary>
internal sealed class StepTimings
{
    /// <summary>Buckets up to 2^12 sessions; larger steps count in the last.</summary>
    private const int Buckets = 13;

    /// <summary>Weight of the newest step: what was an average follows a change within some twenty steps.</summary>
    private const double Weight = 0.125;

    private readonly double[] _decode = new double[Buckets]; // milliseconds; 0: not measured yet
    private double _prefill;                                 // milliseconds per token

    /// <summary>Begins with what was measured before the loop ran.</summary>
    public void Begin(WarmUpTimes times) => (_decode[0], _prefill) = (times.DecodeMs, times.PrefillMsPerToken);

    /// <summary>A step has succeeded.</summary>
    /// <param name="milliseconds">How long it took.</param>
    /// <param name="decodeRows">Sessions that decoded in it.</param>
    /// <param name="prefillRows">Rows of prompts in it.</param>
    public void Add(double milliseconds, int decodeRows, int prefillRows)
    {
        if (prefillRows == 0)
        {
            if (decodeRows > 0)
            {
                Average(ref _decode[BucketOf(decodeRows)], milliseconds);
            }

            return;
        }

        // In a mixed step the prompt's part is what the step took longer than its decode rows alone are known to.
        var decode = decodeRows == 0 ? 0 : _decode[BucketOf(decodeRows)];
        if (decodeRows == 0 || (decode > 0 && decode < milliseconds))
        {
            Average(ref _prefill, (milliseconds - decode) / prefillRows);
        }
    }

    /// <summary>The measured buckets, ascending.</summary>
    public ImmutableArray<StepTiming> ReadDecode()
    {
        var measured = ImmutableArray.CreateBuilder<StepTiming>();
        for (var i = 0; i < Buckets; i++)
        {
            if (Volatile.Read(ref _decode[i]) is > 0 and var milliseconds)
            {
                measured.Add(new StepTiming(1 << i, milliseconds));
            }
        }

        return measured.DrainToImmutable();
    }

    /// <summary>Milliseconds of a prompt's token; 0: not measured yet.</summary>
    public double ReadPrefill() => Volatile.Read(ref _prefill);

    private static int BucketOf(int sessions) => Math.Min(Buckets - 1, 32 - BitOperations.LeadingZeroCount((uint)(sessions - 1)));

    /// <summary>
    /// A step may take far longer for once, while code is compiled or another program runs: it counts as twice the average at
    /// most. Else one such step would keep routers away for as long as there are other workers, and nothing would correct it.
    /// </summary>
    private static void Average(ref double average, double value) =>
        Volatile.Write(ref average, average == 0 ? value : average + (Weight * (Math.Min(value, 2 * average) - average)));
}
