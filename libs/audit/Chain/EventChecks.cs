using System.Collections.Immutable;
using Parallax.Audit.Events;

namespace Parallax.Audit.Chain;

/// <summary>What an event must have. A field that a payload lacks is read as null, whatever its type says.</summary>
internal static class EventChecks
{
    /// <exception cref="AuditFormatException">Something is missing.</exception>
    public static void RequireWhole(AuditEvent one)
    {
        if (!IsWhole(one))
        {
            throw new AuditFormatException($"A {AuditCodec.TypeOf(one)} lacks a field.");
        }
    }

    private static bool IsWhole(AuditEvent one) => one switch
    {
        SegmentOpened opened => opened is { Request: not null, Writer: not null },
        RequestAccepted accepted => accepted is
        {
            Model: not null, Weights: not null, NumericClass: not null, Fingerprint: not null, Key: not null, Client: not null, PromptHash: not null,
            Sampling: { StopTokenIds.IsDefault: false, LogitBias.IsDefault: false },
        } && accepted.Sampling.LogitBias.All(static bias => bias is not null) && accepted.Prompt is not { IsDefault: true } && Whole(accepted.Stop),
        RouteChosen chosen => chosen is { Session: not null, Reason: not null } && Whole(chosen.Stages),
        StageLost lost => lost is { Worker: not null, Problem: not null },
        Rerouted rerouted => Whole(rerouted.Stages),
        TokensEmitted emitted => emitted.Hash is not null && emitted.Ids is not { IsDefault: true },
        ChoiceCompleted completed => completed.Reason is not null,
        RequestFailed failed => failed is { Code: not null, Message: not null },
        WriterStarted started => started is { Writer: not null, PublicKey: not null, Contents: not null },
        Checkpoint checkpoint => checkpoint.Signature is not null && Whole(checkpoint.Streams),
        StreamsRetired retired => retired is { PublicKey: not null, Signature: not null, Reason: not null } && Whole(retired.Streams),
        _ => true,
    };

    private static bool Whole(ImmutableArray<StageRecord> stages) => !stages.IsDefault && stages.All(static stage => stage is { Worker: not null });

    private static bool Whole(ImmutableArray<StreamHead> heads) => !heads.IsDefault && heads.All(static head => head is { Stream: not null, Head: not null });

    private static bool Whole(ImmutableArray<string>? texts) => texts is null || (!texts.Value.IsDefault && texts.Value.All(static text => text is not null));
}
