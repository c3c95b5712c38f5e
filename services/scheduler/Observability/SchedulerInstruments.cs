using System.Diagnostics.Metrics;

namespace Parallax.Scheduler.Observability;

/// <summary>What a scheduler counts.</summary>
internal sealed class SchedulerInstruments
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Parallax.Scheduler";

    private readonly Counter<long> _plans;
    private readonly Counter<long> _rejectedRecords;
    private readonly Counter<long> _rejectedEvents;
    private readonly Counter<long> _failedDecisions;
    private readonly Counter<long> _failedPublications;
    private readonly Histogram<double> _planning;

    public SchedulerInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _plans = meter.CreateCounter<long>("parallax.scheduler.plans", "{plan}", "Changes of the plan.");
        _rejectedRecords = meter.CreateCounter<long>("parallax.scheduler.records.rejected", "{record}", "Workers' records that could not be used.");
        _rejectedEvents = meter.CreateCounter<long>("parallax.scheduler.events.rejected", "{event}", "Stored events that could not be read.");
        _failedDecisions = meter.CreateCounter<long>("parallax.scheduler.decisions.failed", "{decision}", "Decisions that ended in an error of the program.");
        _failedPublications = meter.CreateCounter<long>("parallax.scheduler.publications.failed", "{publication}", "Plans that could not be published at once.");
        _planning = meter.CreateHistogram<double>("parallax.scheduler.planning.duration", "s", "Time that a decision took.");
    }

    public void OnPlanChanged() => _plans.Add(1);

    public void OnRecordRejected() => _rejectedRecords.Add(1);

    public void OnEventRejected() => _rejectedEvents.Add(1);

    public void OnDecisionFailed() => _failedDecisions.Add(1);

    public void OnPublishFailed() => _failedPublications.Add(1);

    public void OnDecided(TimeSpan time) => _planning.Record(time.TotalSeconds);
}
