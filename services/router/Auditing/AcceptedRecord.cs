using Parallax.Audit.Events;
using Parallax.Audit.Log;
using Parallax.Router.Api;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Router.Auditing;

/// <summary>From a request that was admitted to what is kept of it. Pure.</summary>
internal static class AcceptedRecord
{
    public static RequestAccepted Of(ChatCall call, SessionPlan plan, NumericClass numerics, AuditContents contents) => new(
        plan.Model,
        numerics.WeightsHash,
        NameOf(numerics),
        numerics.Fingerprint,
        call.Key,
        call.Client,
        call.Request.Choices,
        call.Request.Stream,
        plan.Prompt.Length,
        contents.Ids(plan.Prompt.AsSpan()),
        contents.Hash(plan.Prompt.AsSpan()),
        contents.KeyId,
        contents.Text(plan.CacheSalt),
        Of(plan.Sampling),
        contents.Texts([.. call.Request.Stop]));

    /// <summary>The class in one line, all that bits depend on but the weights.</summary>
    public static string NameOf(NumericClass numerics) =>
        FormattableString.Invariant($"{numerics.Backend}/{numerics.ArithmeticVersion}/{numerics.Residual}/{numerics.Links}");

    private static SamplingRecord Of(SamplingParameters sampling) => new(
        sampling.Seed,
        sampling.Temperature,
        sampling.TopK,
        sampling.TopP,
        sampling.MinP,
        sampling.RepetitionPenalty,
        sampling.PresencePenalty,
        sampling.FrequencyPenalty,
        sampling.MinTokens,
        sampling.MaxTokens,
        sampling.TopLogProbs,
        [.. sampling.StopTokenIds],
        [.. sampling.LogitBias.Select(static bias => new LogitBiasRecord(bias.Key, bias.Value))]);
}
