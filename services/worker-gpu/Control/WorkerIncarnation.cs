namespace Parallax.Worker.Gpu.Control;

/// <summary>
/// The number by which routers tell this run of the worker from an earlier one under the same address: larger each
/// time, as long as the machine's clock does not go back across a restart.
/// </summary>
internal sealed class WorkerIncarnation(TimeProvider clock)
{
    /// <summary>Microseconds since 1970 at construction.</summary>
    public long Value { get; } = (clock.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;
}
