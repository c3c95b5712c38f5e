using System.Diagnostics.Metrics;

namespace Parallax.Swarm.Telemetry;

/// <summary>The meter "Parallax.Swarm", as far as it is about news.</summary>
internal sealed class TelemetryInstruments : IDisposable
{
    private readonly Meter _meter = new("Parallax.Swarm");

    public TelemetryInstruments(NatsTelemetry telemetry)
    {
        _meter.CreateObservableGauge("parallax.news.connected", () => telemetry.State.IsConnected ? 1 : 0, "1", "Whether NATS is there.");
        _meter.CreateObservableCounter("parallax.news.connections", () => telemetry.Counts.Connections, "{connection}", "Connections made to NATS.");
        _meter.CreateObservableCounter("parallax.news.sent", () => telemetry.Counts.Sent, "{message}", "Messages published.");
        _meter.CreateObservableCounter("parallax.news.arrived", () => telemetry.Counts.Arrived, "{message}", "Messages received.");
        _meter.CreateObservableCounter("parallax.news.dropped", () => telemetry.Counts.Dropped, "{message}", "Messages that were not read in time.");
        _meter.CreateObservableCounter("parallax.news.blocks.dropped", () => telemetry.DroppedBlocks, "{message}", "Announcements of KV blocks that were not read in time.");
        _meter.CreateObservableCounter("parallax.news.blocks.refused", () => telemetry.RefusedBlocks, "{message}", "Messages about KV blocks that were refused unread.");
        _meter.CreateObservableCounter(
            "parallax.news.refused",
            () => Enum.GetValues<NewsRefusal>().Select(reason => new Measurement<long>(
                telemetry.Refused(reason), new KeyValuePair<string, object?>("reason", reason.ToString()))),
            "{message}",
            "Messages that are no news of this swarm.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
