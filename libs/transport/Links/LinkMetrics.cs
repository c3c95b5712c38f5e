using System.Diagnostics.Metrics;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Links;

/// <summary>The meter "Parallax.Transport": per peer bytes, frames, refusals, stalls, queue depth, round trip, connections.</summary>
public sealed class LinkMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Parallax.Transport";

    private static readonly KeyValuePair<string, object?>[] ReasonTags =
        [.. Enum.GetValues<FrameRefusal>().Select(reason => new KeyValuePair<string, object?>("reason", reason.ToString()))];

    private static readonly KeyValuePair<string, object?>[] PriorityTags =
        [.. Enum.GetValues<FramePriority>().Select(priority => new KeyValuePair<string, object?>("priority", priority.ToString()))];

    private readonly Meter _meter;
    private readonly Counter<long> _sentBytes;
    private readonly Counter<long> _sentFrames;
    private readonly Counter<long> _receivedBytes;
    private readonly Counter<long> _receivedFrames;
    private readonly Counter<long> _stalls;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _connections;

    /// <summary>Instruments of one hub; <paramref name="links"/> lists its links when a gauge is read.</summary>
    internal LinkMetrics(Func<IEnumerable<Link>> links)
    {
        _meter = new Meter(MeterName);
        _sentBytes = _meter.CreateCounter<long>("parallax.link.sent.bytes", "By", "Frame bytes handed to the connection.");
        _sentFrames = _meter.CreateCounter<long>("parallax.link.sent.frames", "{frame}", "Frames handed to the connection.");
        _receivedBytes = _meter.CreateCounter<long>("parallax.link.received.bytes", "By", "Frame bytes received.");
        _receivedFrames = _meter.CreateCounter<long>("parallax.link.received.frames", "{frame}", "Frames received.");
        _stalls = _meter.CreateCounter<long>("parallax.link.stalls", "{stall}", "Frames that found their queue full.");
        _refusals = _meter.CreateCounter<long>("parallax.link.refusals", "{refusal}", "Frames, runs and messages refused.");
        _connections = _meter.CreateCounter<long>("parallax.link.connections", "{connection}", "Connections established.");
        _meter.CreateObservableGauge(
            "parallax.link.queue.bytes", () => QueueDepths(links, depth => depth.Bytes), "By", "Bytes that wait to be sent.");
        _meter.CreateObservableGauge(
            "parallax.link.queue.frames", () => QueueDepths(links, depth => depth.Frames), "{frame}", "Frames that wait to be sent.");
        _meter.CreateObservableGauge(
            "parallax.link.rtt", () => links().Select(link => (link, link.RoundTrip)).Where(pair => pair.RoundTrip.Samples > 0)
                .Select(pair => new Measurement<double>(pair.RoundTrip.Median.TotalSeconds, pair.link.Tag)), "s", "Median round trip of heartbeats.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Sent(in KeyValuePair<string, object?> peer, int bytes)
    {
        _sentBytes.Add(bytes, peer);
        _sentFrames.Add(1, peer);
    }

    internal void Received(in KeyValuePair<string, object?> peer, int bytes)
    {
        _receivedBytes.Add(bytes, peer);
        _receivedFrames.Add(1, peer);
    }

    internal void Stalled(in KeyValuePair<string, object?> peer, FramePriority priority) =>
        _stalls.Add(1, peer, PriorityTags[(int)priority]);

    internal void Refused(in KeyValuePair<string, object?> peer, FrameRefusal reason) =>
        _refusals.Add(1, peer, ReasonTags[(int)reason]);

    internal void Connected(in KeyValuePair<string, object?> peer) => _connections.Add(1, peer);

    private static IEnumerable<Measurement<long>> QueueDepths(
        Func<IEnumerable<Link>> links, Func<(int Frames, long Bytes), long> select) =>
        links().SelectMany(link => Enum.GetValues<FramePriority>().Select(
            priority => new Measurement<long>(select(link.QueueDepth(priority)), link.Tag, PriorityTags[(int)priority])));
}
