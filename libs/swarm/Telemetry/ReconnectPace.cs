namespace Parallax.Swarm.Telemetry;

/// <summary>
/// How long to wait before the next attempt to connect: doubling from the first wait to the longest, and then a random
/// half to whole of it, so that a thousand members do not come back in the same instant. A server that refuses the
/// member is asked less often, because only people change that. Pure.
/// </summary>
/// <param name="First">Before the first attempt after a loss.</param>
/// <param name="Longest">Where doubling ends.</param>
/// <param name="Refused">After a refusal.</param>
internal sealed record ReconnectPace(TimeSpan First, TimeSpan Longest, TimeSpan Refused)
{
    /// <param name="failures">Attempts that have failed since a connection last held; 0 when one was lost just now.</param>
    /// <param name="refused">Whether the last attempt was refused.</param>
    /// <param name="chance">Uniform in [0, 1).</param>
    public TimeSpan Next(int failures, bool refused, double chance)
    {
        var doubled = First.Ticks << Math.Clamp(failures, 0, 20);
        var whole = refused ? Refused : TimeSpan.FromTicks(Math.Min(Longest.Ticks, doubled));
        return whole * (0.5 + (0.5 * chance));
    }
}
