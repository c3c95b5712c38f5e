using System.Diagnostics.Metrics;

namespace Parallax.Bus;

/// <summary>What senders count.</summary>
internal sealed class BusInstruments
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Parallax.Bus";

    private readonly Counter<long> _sent;
    private readonly Counter<long> _events;
    private readonly Counter<long> _failed;
    private readonly Histogram<double> _time;

    public BusInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _sent = meter.CreateCounter<long>("parallax.bus.sent", "{message}", "Messages that the bus has taken for good.");
        _events = meter.CreateCounter<long>("parallax.bus.sent.events", "{event}", "Audit events in them.");
        _failed = meter.CreateCounter<long>("parallax.bus.failed", "{message}", "Messages that it did not take; they are sent again.");
        _time = meter.CreateHistogram<double>("parallax.bus.send.duration", "s", "Time until a message was taken.");
    }

    public void OnSent(TimeSpan time, int events)
    {
        _sent.Add(1);
        _events.Add(events);
        _time.Record(time.TotalSeconds);
    }

    public void OnFailed() => _failed.Add(1);
}
