using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;

namespace Parallax.Swarm.Members;

public sealed partial class SwarmMember
{
    [LoggerMessage(30, LogLevel.Information, "Plan {Term}.{Version}: {Shards} shards")]
    private partial void LogPlan(long term, long version, int shards);

    [LoggerMessage(31, LogLevel.Warning, "A plan that {Publisher} published is ignored: {Problem}")]
    private partial void LogUntrustedPlan(PeerId publisher, string problem);

    [LoggerMessage(32, LogLevel.Warning, "A record of {Publisher} is ignored: {Problem}")]
    private partial void LogUnreadable(PeerId publisher, string problem);

    [LoggerMessage(33, LogLevel.Error, "The swarm's {What} round failed; it is tried again")]
    private partial void LogRoundFailed(string what, Exception problem);

    [LoggerMessage(34, LogLevel.Error, "Somebody else runs with this worker's key ({Self}), and started later: give each worker a state folder of its own (--state)")]
    private partial void LogTwin(PeerId self);

    [LoggerMessage(35, LogLevel.Warning, "Worker {Worker} at {Address} does not answer: {Problem}")]
    private partial void LogLost(PeerId worker, string address, string problem);

    [LoggerMessage(36, LogLevel.Information, "Worker {Worker} at {Address} answers again")]
    private partial void LogBack(PeerId worker, string address);
}
