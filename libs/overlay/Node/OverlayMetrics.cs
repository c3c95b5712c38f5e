using System.Diagnostics.Metrics;
using Parallax.Overlay.Protocol;

namespace Parallax.Overlay.Node;

/// <summary>The meter "Parallax.Overlay": lookups, hops, stores, refusals by reason, peers, records, bytes.</summary>
public sealed class OverlayMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Parallax.Overlay";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _lookups;
    private readonly Histogram<int> _hops;
    private readonly Histogram<int> _asked;
    private readonly Counter<long> _stores;
    private readonly Counter<long> _calls;

    /// <summary>Instruments of one node; <paramref name="core"/> gives its state when a gauge is read.</summary>
    internal OverlayMetrics(Func<OverlayCore?> core)
    {
        _lookups = _meter.CreateCounter<long>("parallax.overlay.lookups", "{lookup}", "Lookups that came to their end, by kind.");
        _hops = _meter.CreateHistogram<int>("parallax.overlay.lookup.hops", "{hop}", "Longest chain of calls behind the nearest peers that answered.");
        _asked = _meter.CreateHistogram<int>("parallax.overlay.lookup.peers", "{peer}", "Peers asked by a lookup.");
        _stores = _meter.CreateCounter<long>("parallax.overlay.stores", "{record}", "Records that others brought, by outcome.");
        _calls = _meter.CreateCounter<long>("parallax.overlay.calls", "{call}", "Calls to other peers, by how they ended.");
        _meter.CreateObservableCounter("parallax.overlay.refused", () => Refused(core()), "{refusal}", "Calls and records refused, by reason.");
        _meter.CreateObservableGauge("parallax.overlay.peers", () => core()?.Table.Count ?? 0, "{peer}", "Peers in the routing table.");
        _meter.CreateObservableGauge("parallax.overlay.records", () => core()?.Store.Count ?? 0, "{record}", "Records held.");
        _meter.CreateObservableGauge("parallax.overlay.bytes", () => core()?.Store.Bytes ?? 0, "By", "Bytes of records held.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Lookup(LookupDone lookup)
    {
        var kind = new KeyValuePair<string, object?>("kind", lookup.Kind);
        _lookups.Add(1, kind);
        _hops.Record(lookup.Hops, kind);
        _asked.Record(lookup.Asked, kind);
    }

    internal void Stored(StoreOutcome outcome) => _stores.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString()));

    internal void Called(string ended) => _calls.Add(1, new KeyValuePair<string, object?>("ended", ended));

    private static IEnumerable<Measurement<long>> Refused(OverlayCore? core) =>
        core is null ? [] : Enum.GetValues<OverlayRefusal>().Where(static reason => reason != OverlayRefusal.None).Select(reason =>
            new Measurement<long>(core.Statistics.Refused(reason), new KeyValuePair<string, object?>("reason", reason.ToString())));
}
