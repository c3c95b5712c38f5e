using Microsoft.Extensions.Logging;

namespace Parallax.Swarm.Telemetry;

public sealed partial class NatsTelemetry
{
    [LoggerMessage(120, LogLevel.Information, "Connected to NATS at {Server}")]
    private partial void LogConnected(Uri server);

    [LoggerMessage(121, LogLevel.Warning, "Lost NATS at {Server}, going on without: {Problem}")]
    private partial void LogLost(Uri server, string problem);

    [LoggerMessage(122, LogLevel.Warning, "No NATS, going on without and trying on: {Problem}")]
    private partial void LogAbsent(string problem);

    [LoggerMessage(123, LogLevel.Warning, "News arrives faster than it is read: the oldest is dropped")]
    private partial void LogDropping();

    [LoggerMessage(124, LogLevel.Warning, "Refused news ({Reason}) on {Subject}; more of the kind is counted and not told")]
    private partial void LogRefusing(NewsRefusal reason, string subject);

    [LoggerMessage(125, LogLevel.Warning, "NATS says: {Error}")]
    private partial void LogServerError(string error);

    [LoggerMessage(126, LogLevel.Error, "The news wire stopped")]
    private partial void LogStopped(Exception problem);
}
