namespace Parallax.Testing.Network;

/// <summary>What a network does to one direction of a connection.</summary>
/// <param name="Delay">Time that each byte is on its way.</param>
/// <param name="BytesPerSecond">Rate at which bytes leave; 0 for no limit.</param>
internal sealed record LinkShape(TimeSpan Delay, long BytesPerSecond = 0)
{
    // What a router on the way would let wait before it makes the sender wait: 20 ms, and never less than a full frame.
    private static readonly TimeSpan QueueTime = TimeSpan.FromMilliseconds(20);
    private const int LeastBytes = 256 * 1024;
    private const int UnlimitedBytes = 16 * 1024 * 1024;

    /// <summary>Nothing.</summary>
    public static LinkShape None { get; } = new(TimeSpan.Zero);

    /// <summary>Bytes that may be on the way and in the queue before the sender has to wait.</summary>
    public long Room => BytesPerSecond == 0
        ? UnlimitedBytes
        : Math.Max(LeastBytes, (long)(BytesPerSecond * (Delay + QueueTime).TotalSeconds));

    /// <summary>A link of a round trip, half of it each way.</summary>
    public static LinkShape OfRoundTrip(double milliseconds, double megabitsPerSecond = 0) =>
        new(TimeSpan.FromMilliseconds(milliseconds / 2), (long)(megabitsPerSecond * 1e6 / 8));
}
