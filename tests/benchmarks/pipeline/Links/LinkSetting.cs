using Parallax.Testing.Network;

namespace Parallax.PipelineBenchmark.Links;

/// <summary>A link to measure over.</summary>
/// <param name="RoundTripMilliseconds">Its round trip.</param>
/// <param name="Megabits">Its rate in Mbit/s; 0 for this machine's.</param>
internal sealed record LinkSetting(int RoundTripMilliseconds, int Megabits)
{
    public LinkShape Shape => LinkShape.OfRoundTrip(RoundTripMilliseconds, Megabits);

    public override string ToString() => Megabits == 0 ? $"{RoundTripMilliseconds} ms" : $"{RoundTripMilliseconds} ms, {Megabits} Mbit/s";
}
