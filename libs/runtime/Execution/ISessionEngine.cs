using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Sampling;

namespace Parallax.Runtime.Execution;

/// <summary>
/// The engine of one worker as its service sees it: sessions are opened, started, acknowledged and cancelled; their
/// tokens go to a sink. Thread-safe. All effects happen on the executor's loop, in order of calls.
/// </summary>
public interface ISessionEngine : IAsyncDisposable
{
    /// <summary>What the engine serves and its limits.</summary>
    EngineInfo Info { get; }

    /// <summary>
    /// Opens a session (session protocol, rule 2): checks limits, reserves, pins the cached prefix. Nothing is computed
    /// before <see cref="Start"/>. For a session that is held at a lower epoch it is the Fence of rule 5: the session stops
    /// where it is, keeps its KV and outputs, and waits for <see cref="Start"/> at the new epoch, on the new path.
    /// </summary>
    Task<OpenResult> OpenAsync(OpenRequest request, ISessionSink sink, CancellationToken cancellationToken);

    /// <summary>
    /// Starts an open session at applied = <paramref name="keep"/> (a whole number of blocks, at most the pinned prefix).
    /// After a Fence, or where a part of the answer is known, it is the Resume of rule 5: the session goes back to N tokens
    /// (prompt, Open's answer, <paramref name="answer"/>) and to at most <paramref name="keep"/> positions, below N.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="epoch">The epoch of its Open.</param>
    /// <param name="keep">Leading positions to keep.</param>
    /// <param name="nextIncarnation">Of the next stage on its path, as it accepted the Open; 0 where there is none.</param>
    /// <param name="answer">Ids of the answer that follow those of the Open; default: none.</param>
    void Start(SessionId session, Epoch epoch, int keep, long nextIncarnation = 0, ImmutableArray<int> answer = default);

    /// <summary>
    /// Names the standbys that get what this stage sends as well, in the place of all that were named before. An engine that
    /// sends nothing to other stages ignores it.
    /// </summary>
    void Mirror(SessionId session, Epoch epoch, ImmutableArray<MirrorTarget> targets)
    {
    }

    /// <summary>The router knows <paramref name="known"/> tokens of prompt and answer; the engine runs at most 32 ahead (rule 6).</summary>
    void Acknowledge(SessionId session, Epoch epoch, int known);

    /// <summary>Ends a session within one step and frees what it holds; unknown sessions and other epochs are ignored.</summary>
    void Cancel(SessionId session, Epoch epoch);

    /// <summary>Only the router renews leases; a session without renewal for the lease time is freed (rule 10).</summary>
    void RenewLease(SessionId session);

    /// <summary>
    /// Hands all KV blocks that other workers lack to the exchange, for a worker that is about to leave. Blocks that fill
    /// meanwhile are included.
    /// </summary>
    /// <param name="progress">Told after each block, on the engine's thread; may be null.</param>
    /// <param name="cancellationToken">Ends it; what has been handed over stays so.</param>
    /// <returns>What was handed over; nothing where there is no exchange.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled, the engine has stopped, or another drain has begun.</exception>
    Task<BlockDrainProgress> HandOverBlocksAsync(IProgress<BlockDrainProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(default(BlockDrainProgress));

    /// <summary>A snapshot of counters and gauges.</summary>
    EngineStats ReadStats();
}

/// <summary>What an engine serves and its limits.</summary>
/// <param name="Range">Layers served.</param>
/// <param name="NumericClass">What its results' bits depend on.</param>
/// <param name="ContextLimit">Greatest prompt + answer, in tokens.</param>
/// <param name="MaxSessions">Sessions open at once, running and waiting.</param>
/// <param name="VocabularySize">Ids are in [0, VocabularySize).</param>
public sealed record EngineInfo(LayerRange Range, NumericClass NumericClass, int ContextLimit, int MaxSessions, int VocabularySize);

/// <summary>What Open carries.</summary>
public sealed record OpenRequest
{
    public required SessionId Session { get; init; }

    public required Epoch Epoch { get; init; }

    /// <summary>The prompt; at least one token.</summary>
    public required ImmutableArray<int> PromptTokenIds { get; init; }

    public required SamplingParameters Sampling { get; init; }

    /// <summary>Ids of the answer that are known already; the session goes on from there.</summary>
    public ImmutableArray<int> AnswerTokenIds { get; init; } = [];

    /// <summary>Whether this stage stands by: it computes what is mirrored to it in its place on the path, and sends nothing on.</summary>
    public bool IsStandby { get; init; }

    /// <summary>Whether the session must be held already, at a lower epoch: refused with <see cref="OpenRefusal.NotHeld"/> when it is not.</summary>
    public bool IsFence { get; init; }

    /// <summary>Sessions of one client share the machine fairly with other clients'; empty is one client.</summary>
    public string Client { get; init; } = "";

    /// <summary>Separates prefix caches of tenants; equal salts share.</summary>
    public string CacheSalt { get; init; } = "";

    /// <summary>The session ends with <see cref="FinishReason.Deadline"/> after this much time.</summary>
    public TimeSpan? TimeLeft { get; init; }

    /// <summary>The stages that the session travels over; null when this engine holds the whole model.</summary>
    public StagePath? Path { get; init; }

    /// <summary>Orders sessions by age, equally at all stages of a path (ties by id); lower is older.</summary>
    public long Arrival { get; init; }
}

/// <summary>A standby of the next stage.</summary>
/// <param name="WorkerId">Its worker.</param>
/// <param name="Address">Where its links are dialled.</param>
/// <param name="Incarnation">As it accepted the session.</param>
/// <param name="Applied">Positions (of the tail's: tokens) that it has.</param>
public sealed record MirrorTarget(string WorkerId, Uri Address, long Incarnation, int Applied);

/// <summary>Why an Open was refused.</summary>
public enum OpenRefusal
{
    /// <summary>Too many sessions; try later.</summary>
    Busy,

    /// <summary>Prompt + answer exceed the context limit, or could never fit the KV cache.</summary>
    TooLong,

    /// <summary>A parameter or token id is invalid.</summary>
    Invalid,

    /// <summary>The session exists at an equal or higher epoch.</summary>
    Stale,

    /// <summary>The engine is stopping.</summary>
    Stopping,

    /// <summary>A Fence of a session that the engine does not hold (any more).</summary>
    NotHeld,
}

/// <summary>Answer to Open: accepted with the cached prefix length, or refused with a reason.</summary>
/// <param name="CachedPrefix">Leading positions whose KV is held: whole blocks of a cached prefix, or what a fenced session has.</param>
/// <param name="Refusal">Null when accepted.</param>
/// <param name="Message">Says what was wrong, with the figures; empty when accepted.</param>
public sealed record OpenResult(int CachedPrefix, OpenRefusal? Refusal, string Message);

/// <summary>Receives a session's tokens on the executor's loop: must return at once (enqueue) and not throw.</summary>
public interface ISessionSink
{
    /// <summary>A token was adopted. The record is only valid during the call when it carries log-probabilities.</summary>
    void OnToken(in EmittedToken token);

    /// <summary>The session ended; nothing follows.</summary>
    void OnFinished(in SessionEnd end);

    /// <summary>The next stage of the session's path is out of reach: the session waits here for a Fence or for the link.</summary>
    void OnStageLost(in StageLoss loss)
    {
    }
}

/// <summary>A stage that its neighbour can no longer reach.</summary>
/// <param name="Session">The session.</param>
/// <param name="Epoch">Its epoch when it was lost.</param>
/// <param name="WorkerId">The next stage's worker.</param>
/// <param name="IsUnknownThere">Whether it answered that it does not hold the session; else the link to it is down.</param>
public readonly record struct StageLoss(SessionId Session, Epoch Epoch, string WorkerId, bool IsUnknownThere);

/// <summary>One adopted token.</summary>
/// <param name="Session">The session.</param>
/// <param name="Epoch">The epoch it was sampled in.</param>
/// <param name="Index">Index within the answer, from 0.</param>
/// <param name="TokenId">The id.</param>
/// <param name="LogProb">Natural log of its probability under the raw model distribution (before penalties and temperature); NaN when not asked for.</param>
/// <param name="TopLogProbs">Most probable alternatives, best first; empty when not asked for.</param>
public readonly record struct EmittedToken(
    SessionId Session, Epoch Epoch, int Index, int TokenId, float LogProb, ImmutableArray<TokenLogProb> TopLogProbs);

/// <summary>A token id with its natural log-probability.</summary>
public readonly record struct TokenLogProb(int TokenId, float LogProb);

/// <summary>Why a session ended.</summary>
public enum FinishReason
{
    /// <summary>A stop id was sampled (it is emitted as the last token).</summary>
    Stop,

    /// <summary>Max tokens or the context limit reached.</summary>
    Length,

    /// <summary>Cancelled by the router, or its lease ran out.</summary>
    Cancelled,

    /// <summary>Its deadline passed.</summary>
    Deadline,

    /// <summary>The engine failed; see the message.</summary>
    Error,
}

/// <summary>How a session ended.</summary>
/// <param name="Session">The session.</param>
/// <param name="Epoch">Its last epoch.</param>
/// <param name="Reason">Why.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="CachedTokens">Of those, how many came from the prefix cache.</param>
/// <param name="GeneratedTokens">Tokens emitted.</param>
/// <param name="Error">What failed, when Reason is Error; otherwise empty.</param>
public readonly record struct SessionEnd(
    SessionId Session, Epoch Epoch, FinishReason Reason, int PromptTokens, int CachedTokens, int GeneratedTokens, string Error);

/// <summary>Counters since start and gauges of now.</summary>
public sealed record EngineStats
{
    public int RunningSessions { get; init; }

    public int WaitingSessions { get; init; }

    public int KvBlocksTotal { get; init; }

    /// <summary>Blocks referenced by sessions.</summary>
    public int KvBlocksUsed { get; init; }

    /// <summary>Unreferenced blocks kept for prefix hits.</summary>
    public int KvBlocksCached { get; init; }

    public long Steps { get; init; }

    public long PrefillTokens { get; init; }

    public long DecodeTokens { get; init; }

    public long PrefixHitTokens { get; init; }

    public long Preemptions { get; init; }

    /// <summary>Positions whose KV came from other workers' blocks.</summary>
    public long RestoredPositions { get; init; }

    /// <summary>Positions computed though they had been before: after a failure, or after blocks were given back.</summary>
    public long RecomputedPositions { get; init; }

    /// <summary>Opens that waited for blocks.</summary>
    public long Restores { get; init; }

    /// <summary>Of these, how many ended because the exchange failed or was late.</summary>
    public long RestoreFailures { get; init; }

    /// <summary>What the last failed restore, or refused block, failed of; null when none has.</summary>
    public string? RestoreFault { get; init; }

    /// <summary>Filled blocks that the exchange has accepted.</summary>
    public long BlocksOffered { get; init; }

    /// <summary>Filled blocks that were evicted before their turn, or that the exchange had no room for.</summary>
    public long BlocksDropped { get; init; }

    /// <summary>Blocks that came from the exchange and were not what was asked for: damaged, of another shape, mixed up.</summary>
    public long BlocksRefused { get; init; }

    public long SessionsFinished { get; init; }

    public long SessionsCancelled { get; init; }

    public long SessionsFailed { get; init; }

    /// <summary>Time spent in steps.</summary>
    public TimeSpan BusyTime { get; init; }

    /// <summary>Time since the engine's start, by the same clock: the difference of two readings gives the busy fraction.</summary>
    public TimeSpan UpTime { get; init; }

    /// <summary>
    /// Measured decode steps without any prompts in them, ascending by batch; empty where none was, and for several engines
    /// together, whose steps have nothing in common.
    /// </summary>
    public ImmutableArray<StepTiming> DecodeSteps { get; init; } = [];

    /// <summary>Measured milliseconds per token of a prompt; 0: not yet, and for several engines together.</summary>
    public double PrefillMsPerToken { get; init; }

    /// <summary>Milliseconds that a token of a prompt takes whose blocks come from other workers; 0: not measured, or they do not come.</summary>
    public double RestoreMsPerToken { get; init; }
}

/// <summary>How long a decode step takes: forward, sampling and bookkeeping of this engine's layers.</summary>
/// <param name="Batch">Sessions in the step: the upper end of a bucket, a power of two (3 and 4 are in bucket 4).</param>
/// <param name="Milliseconds">Moving average over the bucket's steps.</param>
public readonly record struct StepTiming(int Batch, double Milliseconds);
