using Parallax.Contracts.Identifiers;

namespace Parallax.Runtime.Execution;

/// <summary>Counters and gauges: written by the loop only, read by any thread.</summary>
internal sealed class EngineCounters
{
    private long _steps;
    private long _prefillTokens;
    private long _decodeTokens;
    private long _prefixHitTokens;
    private long _preemptions;
    private long _finished;
    private long _cancelled;
    private long _failed;
    private long _busyTicks;
    private long _restored;
    private double _restoreMsPerToken;
    private long _recomputed;
    private long _restores;
    private long _restoreFailures;
    private long _blocksOffered;
    private long _blocksDropped;
    private long _blocksRefused;
    private string? _restoreFault;
    private string? _sinkFault;
    private int _running;
    private int _waiting;
    private int _blocksUsed;
    private int _blocksCached;

    /// <summary>Blocks of all KV groups.</summary>
    public required int KvBlocksTotal { get; init; }

    /// <summary>Blocks that sessions hold.</summary>
    public int KvBlocksUsed => Volatile.Read(ref _blocksUsed);

    /// <summary>The last sink that threw at a session's end, and what; null when none did.</summary>
    public string? SinkFault => Volatile.Read(ref _sinkFault);

    public void NoteSinkFault(SessionId session, Exception cause) =>
        Volatile.Write(ref _sinkFault, $"the sink of session {session} threw {cause.GetType().Name}: {cause.Message}");

    public void AddStep(int prefillRows, int decodeRows)
    {
        Add(ref _steps, 1);
        Add(ref _prefillTokens, prefillRows);
        Add(ref _decodeTokens, decodeRows);
    }

    /// <summary>How long steps take.</summary>
    public StepTimings Timings { get; } = new();

    public void AddBusy(TimeSpan time) => Add(ref _busyTicks, time.Ticks);

    public void AddPrefixHit(int tokens) => Add(ref _prefixHitTokens, tokens);

    /// <summary>Positions whose KV came from an exchange.</summary>
    public long Restored => Volatile.Read(ref _restored);

    /// <summary>Positions computed though they had been before.</summary>
    public long Recomputed => Volatile.Read(ref _recomputed);

    /// <summary>Blocks that an exchange has accepted.</summary>
    public long BlocksOffered => Volatile.Read(ref _blocksOffered);

    /// <summary>Filled blocks that were not offered in time, or not accepted.</summary>
    public long BlocksDropped => Volatile.Read(ref _blocksDropped);

    /// <summary>Blocks that came from an exchange and were not what was asked for.</summary>
    public long BlocksRefused => Volatile.Read(ref _blocksRefused);

    public void AddRestored(int positions) => Add(ref _restored, positions);

    /// <summary>What a position takes that comes from elsewhere; 0: not known, or nothing comes.</summary>
    public void SetRestoreTime(double milliseconds) => Volatile.Write(ref _restoreMsPerToken, milliseconds);

    public void AddRecomputed(int positions) => Add(ref _recomputed, positions);

    public void AddRestore() => Add(ref _restores, 1);

    public void AddRestoreFailure(string cause)
    {
        Add(ref _restoreFailures, 1);
        Volatile.Write(ref _restoreFault, cause);
    }

    public void AddBlocksOffered(int blocks) => Add(ref _blocksOffered, blocks);

    public void AddBlocksDropped(int blocks) => Add(ref _blocksDropped, blocks);

    public void AddBlocksRefused(string cause)
    {
        Add(ref _blocksRefused, 1);
        Volatile.Write(ref _restoreFault, cause);
    }

    public void AddPreemption() => Add(ref _preemptions, 1);

    public void AddEnd(FinishReason reason)
    {
        switch (reason)
        {
            case FinishReason.Stop or FinishReason.Length:
                Add(ref _finished, 1);
                break;
            case FinishReason.Cancelled or FinishReason.Deadline:
                Add(ref _cancelled, 1);
                break;
            default:
                Add(ref _failed, 1);
                break;
        }
    }

    public void SetGauges(int running, int waiting, int blocksUsed, int blocksCached)
    {
        Volatile.Write(ref _running, running);
        Volatile.Write(ref _waiting, waiting);
        Volatile.Write(ref _blocksUsed, blocksUsed);
        Volatile.Write(ref _blocksCached, blocksCached);
    }

    public EngineStats Read() => new()
    {
        RunningSessions = Volatile.Read(ref _running),
        WaitingSessions = Volatile.Read(ref _waiting),
        KvBlocksTotal = KvBlocksTotal,
        KvBlocksUsed = Volatile.Read(ref _blocksUsed),
        KvBlocksCached = Volatile.Read(ref _blocksCached),
        Steps = Volatile.Read(ref _steps),
        PrefillTokens = Volatile.Read(ref _prefillTokens),
        DecodeTokens = Volatile.Read(ref _decodeTokens),
        PrefixHitTokens = Volatile.Read(ref _prefixHitTokens),
        Preemptions = Volatile.Read(ref _preemptions),
        RestoredPositions = Volatile.Read(ref _restored),
        RecomputedPositions = Volatile.Read(ref _recomputed),
        Restores = Volatile.Read(ref _restores),
        RestoreFailures = Volatile.Read(ref _restoreFailures),
        RestoreFault = Volatile.Read(ref _restoreFault),
        BlocksOffered = Volatile.Read(ref _blocksOffered),
        BlocksDropped = Volatile.Read(ref _blocksDropped),
        BlocksRefused = Volatile.Read(ref _blocksRefused),
        SessionsFinished = Volatile.Read(ref _finished),
        SessionsCancelled = Volatile.Read(ref _cancelled),
        SessionsFailed = Volatile.Read(ref _failed),
        BusyTime = new TimeSpan(Volatile.Read(ref _busyTicks)),
        DecodeSteps = Timings.ReadDecode(),
        PrefillMsPerToken = Timings.ReadPrefill(),
        RestoreMsPerToken = Volatile.Read(ref _restoreMsPerToken),
    };

    // One writer: no interlocked addition is needed, only writes that readers see whole.
    private static void Add(ref long counter, long amount) => Volatile.Write(ref counter, counter + amount);
}
