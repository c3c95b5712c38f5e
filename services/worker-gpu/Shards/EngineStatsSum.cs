using Parallax.Runtime.Execution;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>Counters and gauges of several engines as one's.</summary>
internal static class EngineStatsSum
{
    /// <summary>Both together.</summary>
    public static EngineStats Plus(this EngineStats a, EngineStats b) => a.PlusCounters(b) with
    {
        RunningSessions = a.RunningSessions + b.RunningSessions,
        WaitingSessions = a.WaitingSessions + b.WaitingSessions,
        KvBlocksTotal = a.KvBlocksTotal + b.KvBlocksTotal,
        KvBlocksUsed = a.KvBlocksUsed + b.KvBlocksUsed,
        KvBlocksCached = a.KvBlocksCached + b.KvBlocksCached,
    };

    /// <summary>Adds what an engine has counted and that outlives it; its gauges go with it.</summary>
    public static EngineStats PlusCounters(this EngineStats a, EngineStats b) => a with
    {
        Steps = a.Steps + b.Steps,
        PrefillTokens = a.PrefillTokens + b.PrefillTokens,
        DecodeTokens = a.DecodeTokens + b.DecodeTokens,
        PrefixHitTokens = a.PrefixHitTokens + b.PrefixHitTokens,
        Preemptions = a.Preemptions + b.Preemptions,
        RestoredPositions = a.RestoredPositions + b.RestoredPositions,
        RecomputedPositions = a.RecomputedPositions + b.RecomputedPositions,
        Restores = a.Restores + b.Restores,
        RestoreFailures = a.RestoreFailures + b.RestoreFailures,
        RestoreFault = b.RestoreFault ?? a.RestoreFault,
        BlocksOffered = a.BlocksOffered + b.BlocksOffered,
        BlocksDropped = a.BlocksDropped + b.BlocksDropped,
        BlocksRefused = a.BlocksRefused + b.BlocksRefused,
        SessionsFinished = a.SessionsFinished + b.SessionsFinished,
        SessionsCancelled = a.SessionsCancelled + b.SessionsCancelled,
        SessionsFailed = a.SessionsFailed + b.SessionsFailed,
        BusyTime = a.BusyTime + b.BusyTime,
        UpTime = a.UpTime > b.UpTime ? a.UpTime : b.UpTime,
    };
}
