using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using FinishReason = Parallax.Runtime.Execution.FinishReason;
using NumericClass = Parallax.Runtime.Execution.NumericClass;

namespace Parallax.Worker.Gpu.Control;

/// <summary>The engine's types in their wire form and back. Generated types stop here.</summary>
internal static class WorkerMapping
{
    public static OpenRequest ToRequest(Open open) => new()
    {
        Session = open.Session.ToSessionId(),
        Epoch = open.Session.ToEpoch(),
        PromptTokenIds = [.. open.Prompt],
        Sampling = ToSampling(open.Sampling ?? new Sampling()),
        Client = open.Client,
        CacheSalt = open.CacheSalt,
        TimeLeft = open.TimeLeftMs > 0 ? TimeSpan.FromMilliseconds(open.TimeLeftMs) : null,
    };

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

    public static ServedModel ToWire(EngineInfo info, string name, int layerCount) => new()
    {
        Name = name,
        LayerStart = info.Range.Start,
        LayerEnd = info.Range.End,
        LayerCount = layerCount,
        NumericClass = ToWire(info.NumericClass),
        ContextLimit = info.ContextLimit,
        MaxSessions = info.MaxSessions,
        VocabularySize = info.VocabularySize,
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
        _ => RefusalCode.Unspecified,
    };
}
