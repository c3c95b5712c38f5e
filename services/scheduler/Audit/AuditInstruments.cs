using System.Diagnostics.Metrics;
using Parallax.Scheduler.Observability;

namespace Parallax.Scheduler.Audit;

/// <summary>What the audit's consumer counts.</summary>
internal sealed class AuditInstruments
{
    private readonly Counter<long> _stored;
    private readonly Counter<long> _repeated;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _redelivered;
    private readonly Counter<long> _storeFailures;

    public AuditInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(SchedulerInstruments.MeterName);
        _stored = meter.CreateCounter<long>("parallax.audit.events.stored", "{event}", "Audit events that came and are stored.");
        _repeated = meter.CreateCounter<long>("parallax.audit.events.repeated", "{event}", "Of those, how many had been stored before.");
        _rejected = meter.CreateCounter<long>("parallax.audit.batches.rejected", "{batch}", "Batches of audit events that went to the error queue.");
        _redelivered = meter.CreateCounter<long>("parallax.audit.batches.redelivered", "{batch}", "Batches that went to the end of the queue, to wait for the events before them.");
        _storeFailures = meter.CreateCounter<long>("parallax.audit.store.failures", "{append}", "Appends that the event store did not take; they are repeated.");
    }

    public void OnStored(int events, int repeated)
    {
        _stored.Add(events);
        if (repeated > 0)
        {
            _repeated.Add(repeated);
        }
    }

    public void OnRejected(AuditRejection kind) => _rejected.Add(1, new KeyValuePair<string, object?>("reason", kind.ToString().ToLowerInvariant()));

    public void OnRedelivered() => _redelivered.Add(1);

    public void OnStoreFailed() => _storeFailures.Add(1);
}
