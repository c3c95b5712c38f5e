using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Worker.Gpu.Shards;
using FinishReason = Parallax.Runtime.Execution.FinishReason;
using NumericClass = Parallax.Runtime.Execution.NumericClass;
using Shard = Parallax.Worker.Gpu.Shards.Shard;

namespace Parallax.Worker.Gpu.Control;

/// <summary>The engine's types in their wire form and back. Generated types stop here.</summary>
internal static class WorkerMapping
{
    /// <summary>Standbys of a stage at most.</summary>
    private const int MostMirrors = 8;

    public static OpenRequest ToRequest(Open open, StagePath? path) => new()
    {
        Session = open.Session.ToSessionId(),
        Epoch = open.Session.ToEpoch(),
        PromptTokenIds = [.. open.Prompt],
        AnswerTokenIds = [.. open.Answer],
        Sampling = ToSampling(open.Sampling ?? new Sampling()),
        Client = open.Client,
        CacheSalt = open.CacheSalt,
        TimeLeft = open.TimeLeftMs > 0 ? TimeSpan.FromMilliseconds(open.TimeLeftMs) : null,
        Path = path,
        Arrival = open.Arrival,
        IsStandby = open.Standby,
    };

    /// <summary>Standbys; one whose address makes no sense is none.</summary>
    public static ImmutableArray<MirrorTarget> ToTargets(Mirror mirror) =>
        [.. mirror.Targets.Select(static target => Uri.TryCreate(target.Address, UriKind.Absolute, out var address) && target.Worker.Length > 0 && target.Applied >= 0
            ? new MirrorTarget(target.Worker, address, target.Incarnation, target.Applied)
            : null).OfType<MirrorTarget>().Take(MostMirrors)];

    /// <summary>A request to load; zeros and absent fields are defaults.</summary>
    public static ShardRequest ToRequest(LoadShardRequest wire) => new()
    {
        ModelPath = wire.ModelPath,
        Range = wire is { LayerStart: 0, LayerEnd: 0 } ? null : new LayerRange(wire.LayerStart, wire.LayerEnd),
        Residual = ToResidual(wire.Residual),
        Links = wire.LinksQ8 ? LinkPrecision.Blocks8 : LinkPrecision.Exact,
        ContextLimit = wire.ContextLimit == 0 ? null : wire.ContextLimit,
        KvTokens = wire.KvTokens == 0 ? null : wire.KvTokens,
        MaxBatch = wire.MaxBatch == 0 ? null : wire.MaxBatch,
        Replaces = wire.Replaces.Length == 0 ? null : wire.Replaces,
    };

    /// <summary>The numeric class that a router asks for; null for any.</summary>
    public static NumericClass? ToNumericClass(Contracts.V1.NumericClass? wire) => wire is null ? null : new NumericClass(
        wire.ArithmeticVersion, wire.WeightsHash, ToResidual(wire.Residual), wire.Backend)
    {
        Links = wire.LinksQ8 ? LinkPrecision.Blocks8 : LinkPrecision.Exact,
    };

    /// <summary>A residual precision; bf16 where none is named.</summary>
    public static ResidualPrecision ToResidual(Contracts.V1.NumericClass.Types.Residual wire) =>
        wire == Contracts.V1.NumericClass.Types.Residual.F32 ? ResidualPrecision.F32 : ResidualPrecision.BF16;

    public static OpenAck ToWire(OpenResult result, SessionRef session) => result.Refusal is { } refusal
        ? Refuse(session, ToWire(refusal), result.Message)
        : new OpenAck { Session = session, Accepted = new OpenAck.Types.Accepted { CachedPrefix = result.CachedPrefix } };

    public static OpenAck Refuse(SessionRef session, RefusalCode code, string message) =>
        new() { Session = session, Refused = new OpenAck.Types.Refused { Code = code, Message = message } };

    public static Finished ToWire(in SessionEnd end, SessionRef session) => new()
    {
        Session = session,
        Reason = end.Reason switch
        {
            FinishReason.Stop => Contracts.V1.FinishReason.Stop,
            FinishReason.Length => Contracts.V1.FinishReason.Length,
            FinishReason.Cancelled => Contracts.V1.FinishReason.Cancelled,
            FinishReason.Deadline => Contracts.V1.FinishReason.Deadline,
            _ => Contracts.V1.FinishReason.Error,
        },
        PromptTokens = end.PromptTokens,
        CachedTokens = end.CachedTokens,
        GeneratedTokens = end.GeneratedTokens,
        Error = end.Error ?? "",
    };

    public static TokenLogProbs ToWire(float logProb, ImmutableArray<TokenLogProb> top)
    {
        var wire = new TokenLogProbs { LogProb = logProb };
        foreach (var (id, value) in top)
        {
            wire.TopIds.Add(id);
            wire.TopLogProbs.Add(value);
        }

        return wire;
    }

    /// <summary>A shard as routers are told of it; limits and class are absent while it loads.</summary>
    public static ServedModel ToWire(Shard shard)
    {
        var served = new ServedModel
        {
            Name = shard.Model.Name,
            LayerStart = shard.Range.Start,
            LayerEnd = shard.Range.End,
            LayerCount = shard.Model.LayerCount,
            ShardId = shard.Id,
        };
        if (shard.Engine?.Info is { } info)
        {
            served.NumericClass = ToWire(info.NumericClass);
            served.ContextLimit = info.ContextLimit;
            served.MaxSessions = info.MaxSessions;
            served.VocabularySize = info.VocabularySize;
        }

        return served;
    }

    public static Contracts.V1.Shard ToWireState(Shard shard) => new()
    {
        Model = ToWire(shard),
        State = shard.Phase switch
        {
            ShardPhase.Loading => ShardState.Loading,
            ShardPhase.Serving => ShardState.Serving,
            _ => ShardState.Draining,
        },
        WeightBytes = shard.Plan?.WeightBytes ?? 0,
        KvBytes = shard.Plan?.KvBytes ?? 0,
        Sessions = shard.SessionCount,
    };

    public static WorkerStats ToWire(EngineStats stats) => new()
    {
        RunningSessions = stats.RunningSessions,
        WaitingSessions = stats.WaitingSessions,
        KvBlocksTotal = stats.KvBlocksTotal,
        KvBlocksUsed = stats.KvBlocksUsed,
        KvBlocksCached = stats.KvBlocksCached,
        Steps = stats.Steps,
        PrefillTokens = stats.PrefillTokens,
        DecodeTokens = stats.DecodeTokens,
        PrefixHitTokens = stats.PrefixHitTokens,
        Preemptions = stats.Preemptions,
        SessionsFinished = stats.SessionsFinished,
        SessionsCancelled = stats.SessionsCancelled,
        SessionsFailed = stats.SessionsFailed,
        BusyMicroseconds = (long)stats.BusyTime.TotalMicroseconds,
        UptimeMicroseconds = (long)stats.UpTime.TotalMicroseconds,
    };

    private static Contracts.V1.NumericClass ToWire(NumericClass value) => new()
    {
        ArithmeticVersion = value.ArithmeticVersion,
        WeightsHash = value.WeightsHash,
        Residual = value.Residual == ResidualPrecision.BF16
            ? Contracts.V1.NumericClass.Types.Residual.Bf16
            : Contracts.V1.NumericClass.Types.Residual.F32,
        Backend = value.Backend,
        LinksQ8 = value.Links == LinkPrecision.Blocks8,
    };

    private static SamplingParameters ToSampling(Sampling wire) => new()
    {
        Temperature = wire.Temperature,
        TopK = wire.TopK,
        TopP = wire.TopP,
        MinP = wire.MinP,
        RepetitionPenalty = wire.RepetitionPenalty,
        PresencePenalty = wire.PresencePenalty,
        FrequencyPenalty = wire.FrequencyPenalty,
        LogitBias = [.. wire.LogitBias.Select(static b => KeyValuePair.Create(b.TokenId, b.Bias))],
        Seed = wire.Seed,
        ChoiceIndex = wire.ChoiceIndex,
        TopLogProbs = wire.HasTopLogProbs ? wire.TopLogProbs : null,
        StopTokenIds = [.. wire.StopTokenIds],
        MinTokens = wire.MinTokens,
        MaxTokens = wire.MaxTokens,
    };

    private static RefusalCode ToWire(OpenRefusal refusal) => refusal switch
    {
        OpenRefusal.Busy => RefusalCode.Busy,
        OpenRefusal.TooLong => RefusalCode.TooLong,
        OpenRefusal.Invalid => RefusalCode.Invalid,
        OpenRefusal.Stale => RefusalCode.Stale,
        OpenRefusal.Stopping => RefusalCode.Stopping,
        OpenRefusal.NotHeld => RefusalCode.Internal, // the worker answers it by opening the session anew
        _ => RefusalCode.Unspecified,
    };
}
