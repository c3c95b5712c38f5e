namespace Parallax.Scheduler.Workflow;

internal sealed partial class SchedulerLoop
{
    [LoggerMessage(10, LogLevel.Information, "This scheduler leads: term {Term}, plan {Version}")]
    private partial void LogLeads(long term, long version);

    [LoggerMessage(11, LogLevel.Information, "This scheduler stands by; {Leader} leads (term {Term})")]
    private partial void LogStandsBy(string leader, long term);

    [LoggerMessage(12, LogLevel.Warning, "Term {Term} is over")]
    private partial void LogLost(long term);

    [LoggerMessage(13, LogLevel.Error, "{Problem} Trying on.")]
    private partial void LogStoreFailed(string problem);

    [LoggerMessage(14, LogLevel.Information, "Plan {Term}.{Version}, because {Cause}: {Pipelines} pipelines, {Moves} moves, {Shortages} models without a place")]
    private partial void LogPlanned(long term, long version, string cause, int pipelines, int moves, int shortages);

    [LoggerMessage(15, LogLevel.Error, "A decision failed and is left out ({Cause})")]
    private partial void LogDecisionFailed(Exception problem, string cause);
}
