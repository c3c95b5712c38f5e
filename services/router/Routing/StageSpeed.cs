using System.Collections.Immutable;

namespace Parallax.Router.Routing;

/// <summary>
/// What is known of a shard's speed: steps of its whole range as the worker measured them, else an estimate from what
/// its machine can do. Pure.
/// </summary>
/// <param name="Steps">Measured decode steps, ascending by batch; may be empty.</param>
/// <param name="PrefillMsPerToken">Measured; 0: not yet.</param>
/// <param name="WeightBytes">Of the range; 0: unknown.</param>
/// <param name="Tflops">Of the machine, 10^12 operations a second; 0: unknown.</param>
/// <param name="BandwidthGBps">Of the machine, 10^9 bytes a second; 0: unknown.</param>
internal sealed record StageSpeed(
    ImmutableArray<MeasuredStep> Steps, double PrefillMsPerToken, long WeightBytes, double Tflops, double BandwidthGBps)
{
    /// <summary>Measured time of a prompt's token whose blocks come from the KV cache; 0: not yet.</summary>
    public double RestoreMsPerToken { get; init; }

    /// <summary>Nothing is known.</summary>
    public static readonly StageSpeed Unknown = new([], 0, 0, 0, 0);

    /// <summary>
    /// Beyond the largest measured batch of a single measurement each further session costs this share of what one of
    /// its sessions costs there; with two measurements and more their slope goes on.
    /// </summary>
    private const double Growth = 0.25;

    /// <summary>A prompt's token in a prefill, as a share of a decode step of one session, where nothing better is known.</summary>
    private const double PrefillShare = 0.25;

    /// <summary>Milliseconds of a decode step of <paramref name="batch"/> sessions through the whole range; null when nothing is known.</summary>
    public double? StepMs(int batch) => Steps.IsDefaultOrEmpty ? EstimateMs(batch) : MeasuredMs(batch);

    /// <summary>Milliseconds that a token of a prompt takes; null when nothing is known.</summary>
    public double? PrefillMs() =>
        PrefillMsPerToken > 0 ? PrefillMsPerToken
        : WeightBytes > 0 && Tflops > 0 ? ComputeMs
        : StepMs(1) * PrefillShare;

    /// <summary>
    /// Work of one token: two operations per weight, which is one per byte at two bytes a weight. Quantised weights do
    /// more per byte, which the measurement that follows will show.
    /// </summary>
    private double ComputeMs => WeightBytes / (Tflops * 1e9);

    private double? EstimateMs(int batch) => WeightBytes <= 0 ? null
        : (BandwidthGBps > 0, Tflops > 0) switch
        {
            (true, true) => Math.Max(WeightBytes / (BandwidthGBps * 1e6), batch * ComputeMs),
            (true, false) => WeightBytes / (BandwidthGBps * 1e6),
            (false, true) => batch * ComputeMs,
            _ => null,
        };

    private double MeasuredMs(int batch)
    {
        var above = 0;
        while (above < Steps.Length && Steps[above].Batch < batch)
        {
            above++;
        }

        if (above == 0)
        {
            return Steps[0].Milliseconds; // a smaller batch than any measured takes no longer
        }

        var below = Steps[above - 1];
        if (above < Steps.Length)
        {
            return below.Milliseconds + ((batch - below.Batch) * Slope(below, Steps[above]));
        }

        var slope = above > 1 ? Math.Max(0, Slope(Steps[above - 2], below)) : Growth * below.Milliseconds / below.Batch;
        return below.Milliseconds + ((batch - below.Batch) * slope);
    }

    private static double Slope(MeasuredStep from, MeasuredStep to) => (to.Milliseconds - from.Milliseconds) / (to.Batch - from.Batch);
}

/// <summary>A measured decode step.</summary>
/// <param name="Batch">Sessions in it: the upper end of a bucket.</param>
/// <param name="Milliseconds">How long it takes.</param>
internal readonly record struct MeasuredStep(int Batch, double Milliseconds);
