using System.Diagnostics.Metrics;

namespace Parallax.Runtime.Execution;

/// <summary>The engine's metrics, under the meter <see cref="MeterName"/>.</summary>
internal sealed class EngineInstruments : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Parallax.Runtime";

    private readonly Meter _meter = new(MeterName);
    private readonly Histogram<double> _stepDuration;
    private readonly Histogram<int> _batchTokens;

    public EngineInstruments(EngineCounters counters)
    {
        _stepDuration = _meter.CreateHistogram<double>("parallax.step.duration", "s", "Time of one step: forward, sampling, bookkeeping.");
        _batchTokens = _meter.CreateHistogram<int>("parallax.step.batch_tokens", "{token}", "Rows of one step, prefill and decode.");
        _meter.CreateObservableGauge("parallax.kvcache.blocks.used", () => counters.KvBlocksUsed, "{block}", "KV blocks that sessions hold.");
        _meter.CreateObservableCounter("parallax.kvcache.positions.restored", () => counters.Restored, "{position}", "Positions whose KV came from other workers' blocks.");
        _meter.CreateObservableCounter("parallax.kvcache.positions.recomputed", () => counters.Recomputed, "{position}", "Positions computed though they had been before.");
        _meter.CreateObservableCounter("parallax.kvcache.blocks.offered", () => counters.BlocksOffered, "{block}", "Filled blocks that the exchange has accepted.");
        _meter.CreateObservableCounter("parallax.kvcache.blocks.dropped", () => counters.BlocksDropped, "{block}", "Filled blocks that nobody else was given.");
        _meter.CreateObservableCounter("parallax.kvcache.blocks.refused", () => counters.BlocksRefused, "{block}", "Blocks from the exchange that were not what was asked for.");
    }

    /// <summary>Records a step.</summary>
    public void RecordStep(TimeSpan duration, int rows)
    {
        _stepDuration.Record(duration.TotalSeconds);
        _batchTokens.Record(rows);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
