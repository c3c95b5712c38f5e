using System.Diagnostics.Metrics;
using Parallax.Scheduler.Observability;

namespace Parallax.Scheduler.Commands;

/// <summary>What is counted of operators' commands.</summary>
internal sealed class CommandInstruments
{
    private readonly Counter<long> _steps;
    private readonly Counter<long> _unusable;

    public CommandInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(SchedulerInstruments.MeterName);
        _steps = meter.CreateCounter<long>("parallax.commands.steps", "{step}", "Commands that came to a state.");
        _unusable = meter.CreateCounter<long>("parallax.commands.unusable", "{message}", "Messages that are no commands and went to the error queue.");
    }

    public void OnStep(WorkflowEvent happened) => _steps.Add(1, new KeyValuePair<string, object?>("step", happened.GetType().Name));

    public void OnUnusable() => _unusable.Add(1);
}
