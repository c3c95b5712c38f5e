using Parallax.Contracts.Identifiers;

namespace Parallax.Worker.Gpu.Swarm;

internal sealed partial class SwarmWorker
{
    [LoggerMessage(40, LogLevel.Information, "Loading layers {Range} of '{Model}'")]
    private partial void LogLoading(string model, LayerRange range);

    [LoggerMessage(41, LogLevel.Information, "Layers {Range} of '{Model}' serve")]
    private partial void LogLoaded(string model, LayerRange range);

    [LoggerMessage(42, LogLevel.Warning, "The plan cannot be followed yet: {Problem}")]
    private partial void LogLoadRefused(string problem);

    [LoggerMessage(43, LogLevel.Error, "A load failed: {Problem}")]
    private partial void LogLoadFailed(string problem, Exception cause);

    [LoggerMessage(44, LogLevel.Information, "Shard {Shard} is given up: {Why}")]
    private partial void LogReleasing(string shard, string why);

    [LoggerMessage(45, LogLevel.Information, "Shard {Shard} stays for now: {Why}")]
    private partial void LogHeld(string shard, string why);

    [LoggerMessage(51, LogLevel.Information, "Shard {Shard} is wanted again and serves on")]
    private partial void LogKept(string shard);

    [LoggerMessage(52, LogLevel.Information, "Shard {Shard}: its sessions go on elsewhere, since what is to be loaded finds no room beside it")]
    private partial void LogMakesRoom(string shard);

    [LoggerMessage(46, LogLevel.Warning, "Plan {Term}.{Version} is refused: {Floor} has been followed already")]
    private partial void LogLowerPlan(long term, long version, string floor);

    [LoggerMessage(47, LogLevel.Information, "Leaving: waiting up to {Seconds:0} s for others to take over")]
    private partial void LogLeaving(double seconds);

    [LoggerMessage(48, LogLevel.Warning, "Leaving although nobody has taken over")]
    private partial void LogLeaveTimedOut();

    [LoggerMessage(50, LogLevel.Information, "Without a scheduler: {Why}")]
    private partial void LogAlone(string why);

    [LoggerMessage(49, LogLevel.Error, "A step of following the plan failed; the next one comes all the same")]
    private partial void LogStepFailed(Exception problem);
}
