using System.Collections.Immutable;
using Google.Protobuf;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using FinishReason = Parallax.Runtime.Execution.FinishReason;
using NumericClass = Parallax.Runtime.Execution.NumericClass;

namespace Parallax.Router.Sessions;

/// <summary>The router's types in their wire form and back. Generated types stop here.</summary>
internal static class RouterMapping
{
    /// <summary>Open for one stage of a path.</summary>
    public static Open ToWire(SessionPlan plan, SessionRef session, long timeLeftMs, WorkerPath path, int stage)
    {
        var numerics = path.Offer.NumericClass;
        var open = new Open
        {
            Session = session,
            Sampling = ToWire(plan.Sampling),
            TimeLeftMs = timeLeftMs,
            Client = plan.Client,
            CacheSalt = plan.CacheSalt,
            Model = plan.Model,
            WeightsHash = numerics.WeightsHash,
            NumericClass = ToWire(numerics),
            Arrival = plan.Arrival,
            TraceParent = plan.TraceParent,
        };
        open.Prompt.AddRange(plan.Prompt);
        if (path.Stages.Length > 1)
        {
            open.Stage = stage;
            open.Path.AddRange(path.Stages.Select(ToWire));
        }

        return open;
    }

    /// <summary>Attach for a session.</summary>
    public static AttachRequest ToAttach(SessionId session, SessionPlan plan)
    {
        var (high, low) = SessionRefs.Split(session.Value);
        return new AttachRequest
        {
            IdHigh = high,
            IdLow = low,
            Content = UnsafeByteOperations.UnsafeWrap(SessionContent.HashOf(plan.Prompt, ToWire(plan.Sampling))),
        };
    }

    /// <summary>What a head holds of an answer; null when it holds none.</summary>
    public static HeldAnswer? ToHeld(AttachReply wire) => wire.Held
        ? new HeldAnswer(new SessionRef { Epoch = wire.Epoch }.ToEpoch(), [.. wire.Answer])
        : null;

    public static SessionToken ToToken(Tokens tokens, int i)
    {
        if (i >= tokens.LogProbs.Count)
        {
            return new SessionToken(tokens.FirstIndex + i, tokens.Ids[i], float.NaN, []);
        }

        var wire = tokens.LogProbs[i];
        var top = ImmutableArray.CreateBuilder<TokenLogProb>(wire.TopIds.Count);
        for (var t = 0; t < Math.Min(wire.TopIds.Count, wire.TopLogProbs.Count); t++)
        {
            top.Add(new TokenLogProb(wire.TopIds[t], wire.TopLogProbs[t]));
        }

        return new SessionToken(tokens.FirstIndex + i, tokens.Ids[i], wire.LogProb, top.DrainToImmutable());
    }

    public static SessionResult.Finished ToResult(Finished wire) => new(
        wire.Reason switch
        {
            Contracts.V1.FinishReason.Stop => FinishReason.Stop,
            Contracts.V1.FinishReason.Length => FinishReason.Length,
            Contracts.V1.FinishReason.Cancelled => FinishReason.Cancelled,
            Contracts.V1.FinishReason.Deadline => FinishReason.Deadline,
            _ => FinishReason.Error,
        },
        wire.PromptTokens,
        wire.CachedTokens,
        wire.GeneratedTokens,
        wire.Error);

    /// <summary>Null for reasons that concern the worker, not the request.</summary>
    public static OpenRefusal? ToRefusal(RefusalCode code) => code switch
    {
        RefusalCode.Busy => OpenRefusal.Busy,
        RefusalCode.TooLong => OpenRefusal.TooLong,
        RefusalCode.Invalid => OpenRefusal.Invalid,
        RefusalCode.Stale => OpenRefusal.Stale,
        RefusalCode.Stopping => OpenRefusal.Stopping,
        _ => null,
    };

    /// <summary>The shards that a worker says it serves.</summary>
    public static ImmutableArray<ShardOffer> ToOffers(IEnumerable<ServedModel> models) => [.. models.Select(ToOffer)];

    public static ImmutableArray<ShardOffer> ToEnding(IEnumerable<ServedModel> models) => [.. models.Select(static model => ToOffer(model) with { IsEnding = true })];

    private static ShardOffer ToOffer(ServedModel wire)
    {
        var numerics = wire.NumericClass ?? new Contracts.V1.NumericClass();
        return new ShardOffer(
            wire.Name,
            new LayerRange(wire.LayerStart, wire.LayerEnd),
            wire.LayerCount,
            new NumericClass(
                numerics.ArithmeticVersion,
                numerics.WeightsHash,
                numerics.Residual == Contracts.V1.NumericClass.Types.Residual.F32 ? ResidualPrecision.F32 : ResidualPrecision.BF16,
                numerics.Backend)
            {
                Links = numerics.LinksQ8 ? LinkPrecision.Blocks8 : LinkPrecision.Exact,
            },
            wire.ContextLimit,
            wire.MaxSessions,
            wire.VocabularySize,
            wire.ShardId);
    }

    private static Stage ToWire(WorkerPathStage stage) => new()
    {
        Worker = stage.PresentWorkerId,
        Address = stage.LinkAddress.GetLeftPart(UriPartial.Authority),
        LayerStart = stage.Range.Start,
        LayerEnd = stage.Range.End,
    };

    private static Contracts.V1.NumericClass ToWire(NumericClass value) => new()
    {
        ArithmeticVersion = value.ArithmeticVersion,
        WeightsHash = value.WeightsHash,
        Residual = value.Residual == ResidualPrecision.F32
            ? Contracts.V1.NumericClass.Types.Residual.F32
            : Contracts.V1.NumericClass.Types.Residual.Bf16,
        Backend = value.Backend,
        LinksQ8 = value.Links == LinkPrecision.Blocks8,
    };

    private static Sampling ToWire(SamplingParameters sampling)
    {
        var wire = new Sampling
        {
            Temperature = sampling.Temperature,
            TopK = sampling.TopK,
            TopP = sampling.TopP,
            MinP = sampling.MinP,
            RepetitionPenalty = sampling.RepetitionPenalty,
            PresencePenalty = sampling.PresencePenalty,
            FrequencyPenalty = sampling.FrequencyPenalty,
            Seed = sampling.Seed,
            ChoiceIndex = sampling.ChoiceIndex,
            MinTokens = sampling.MinTokens,
            MaxTokens = sampling.MaxTokens,
        };
        if (sampling.TopLogProbs is { } top)
        {
            wire.TopLogProbs = top;
        }

        wire.LogitBias.AddRange(sampling.LogitBias.Select(static b => new LogitBias { TokenId = b.Key, Bias = b.Value }));
        wire.StopTokenIds.AddRange(sampling.StopTokenIds);
        return wire;
    }
}
