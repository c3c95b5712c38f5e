using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.Runtime.Execution;

/// <summary>The ring of stages that a session travels over, from the head (layer 0) to the tail, as one of them sees it.</summary>
/// <param name="Stages">The stages in order of their layers; at least two.</param>
/// <param name="Index">This worker's place.</param>
public sealed record StagePath(ImmutableArray<StageAddress> Stages, int Index)
{
    /// <summary>Whether this worker starts from token ids.</summary>
    public bool IsHead => Index == 0;

    /// <summary>Whether this worker samples.</summary>
    public bool IsTail => Index == Stages.Length - 1;

    /// <summary>This worker's stage.</summary>
    public StageAddress Own => Stages[Index];

    /// <summary>Whom this stage sends to: the head, for the tail.</summary>
    public StageAddress Next => Stages[(Index + 1) % Stages.Length];

    /// <summary>Who sends to this stage: the tail, for the head.</summary>
    public StageAddress Previous => Stages[(Index + Stages.Length - 1) % Stages.Length];

    /// <summary>
    /// Whether all stages have one host name: then they most likely share its cores, and nothing is gained by keeping all
    /// of them busy at once.
    /// </summary>
    public bool IsOnOneHost => Stages.All(stage => stage.Address.Host == Stages[0].Address.Host);

    /// <summary>What makes this no ring of the model's <paramref name="layers"/> layers; null when it is one.</summary>
    public string? FindError(int layers)
    {
        if (Stages.IsDefaultOrEmpty || Stages.Length < 2)
        {
            return "a path has at least two stages";
        }

        if (Index < 0 || Index >= Stages.Length)
        {
            return $"stage {Index} is not on a path of {Stages.Length}";
        }

        var next = 0;
        foreach (var stage in Stages)
        {
            if (stage.Range.Start != next || stage.Range.Count < 1)
            {
                return $"the path's layers {string.Join(' ', Stages.Select(static s => s.Range))} do not follow one another from 0";
            }

            next = stage.Range.End;
        }

        if (next != layers)
        {
            return $"the path ends at layer {next}; the model has {layers}";
        }

        return Stages.Select(static stage => stage.WorkerId).Distinct(StringComparer.Ordinal).Count() != Stages.Length
            ? "a worker stands twice on the path"
            : null;
    }
}

/// <summary>One stage of a path.</summary>
/// <param name="WorkerId">The id by which links know the worker.</param>
/// <param name="Address">Where its links are dialled.</param>
/// <param name="Range">The layers it computes.</param>
public sealed record StageAddress(string WorkerId, Uri Address, LayerRange Range);
