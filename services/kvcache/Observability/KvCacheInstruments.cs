using System.Diagnostics.Metrics;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Disk;
using Parallax.KvBlocks.Puts;

namespace Parallax.KvCache.Observability;

/// <summary>What an instance counts.</summary>
internal sealed class KvCacheInstruments
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Parallax.KvCache";

    private readonly Counter<long> _received;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _repaired;

    public KvCacheInstruments(IMeterFactory meters, BlockStore store, DiskTier? disk)
    {
        var meter = meters.Create(MeterName);
        _received = meter.CreateCounter<long>("parallax.kvcache.received", "By", "Bytes of parts that came.");
        _sent = meter.CreateCounter<long>("parallax.kvcache.sent", "By", "Bytes of parts that were sent.");
        _refused = meter.CreateCounter<long>("parallax.kvcache.refused", "{part}", "Parts that came and were not taken: too late, of another length, damaged.");
        _repaired = meter.CreateCounter<long>("parallax.kvcache.repaired", "{part}", "Copies made at other instances that lacked them.");
        meter.CreateObservableGauge("parallax.kvcache.parts", () => store.Statistics.Parts, "{part}", "Parts that can be read.");
        meter.CreateObservableGauge("parallax.kvcache.tenants", () => store.Statistics.Tenants, "{tenant}", "Tenants that have some.");
        meter.CreateObservableGauge("parallax.kvcache.memory", () => store.Statistics.MemoryBytes, "By", "Memory of parts.");
        meter.CreateObservableGauge("parallax.kvcache.unwritten", () => store.Statistics.Unwritten, "{part}", "Parts that wait to be written to disk.");
        meter.CreateObservableCounter("parallax.kvcache.puts", () => store.Statistics.Puts, "{part}", "Parts put.");
        meter.CreateObservableCounter("parallax.kvcache.hits", () => store.Statistics.Hits, "{part}", "Reads that found their part.");
        meter.CreateObservableCounter("parallax.kvcache.hits.disk", () => store.Statistics.DiskHits, "{part}", "Of those, how many read the disk.");
        meter.CreateObservableCounter("parallax.kvcache.misses", () => store.Statistics.Misses, "{part}", "Reads that did not.");
        meter.CreateObservableCounter("parallax.kvcache.evictions.memory", () => store.Statistics.MemoryEvictions, "{part}", "Parts that left memory for others.");
        meter.CreateObservableCounter("parallax.kvcache.evictions.lost", () => store.Statistics.Lost, "{part}", "Of those, how many had no copy on disk.");
        meter.CreateObservableCounter("parallax.kvcache.evictions.disk", () => store.Statistics.DiskEvictions, "{part}", "Parts that left the disk for others.");
        meter.CreateObservableCounter("parallax.kvcache.corrupt", () => store.Statistics.Corrupt, "{part}", "Parts on disk that were not as they had been written.");
        meter.CreateObservableCounter("parallax.kvcache.expired", () => store.Statistics.Expired, "{lease}", "Reservations and leases whose time was over.");
        if (disk is not null)
        {
            meter.CreateObservableGauge("parallax.kvcache.disk.files", () => disk.Statistics.FileBytes, "By", "Bytes of segment files.");
            meter.CreateObservableGauge("parallax.kvcache.disk.live", () => store.Statistics.DiskBytes, "By", "Of those, how many are of use.");
            meter.CreateObservableCounter("parallax.kvcache.disk.written", () => disk.Statistics.WrittenBytes, "By", "Bytes written, copies of compaction included.");
            meter.CreateObservableCounter("parallax.kvcache.disk.compacted", () => disk.Statistics.CompactedBytes, "By", "Bytes copied out of segments that were mostly of no use.");
            meter.CreateObservableCounter("parallax.kvcache.disk.failures", () => disk.Statistics.WriteFailures, "{write}", "Writes that failed.");
            meter.CreateObservableCounter("parallax.kvcache.disk.read_failures", () => disk.Statistics.ReadFailures, "{read}", "Reads that failed.");
            meter.CreateObservableCounter("parallax.kvcache.disk.damaged", () => disk.Statistics.DamagedBytes, "By", "Bytes that were skipped at the start.");
        }
    }

    public void OnReceived(int bytes) => _received.Add(bytes);

    public void OnSent(int bytes) => _sent.Add(bytes);

    public void OnRefused(WriteState reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString().ToLowerInvariant()));

    public void OnRepaired(int parts) => _repaired.Add(parts);
}
