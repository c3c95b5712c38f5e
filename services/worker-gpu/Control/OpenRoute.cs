using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Shards;
using Shard = Parallax.Worker.Gpu.Shards.Shard;

namespace Parallax.Worker.Gpu.Control;

/// <summary>What an Open means on this worker: the shard that serves it and the session's path, or a refusal.</summary>
/// <param name="Shard">Null when it is refused.</param>
/// <param name="Path">Null when the shard holds the whole model.</param>
/// <param name="Refusal">Why it is refused.</param>
/// <param name="Message">In words, with the figures.</param>
internal sealed record OpenRoute(Shard? Shard, StagePath? Path, RefusalCode Refusal, string Message)
{
    // More stages than any model has layers are nonsense; this bounds what is made of a hostile message.
    private const int MostStages = 1024;

    /// <summary>Chooses; nothing is changed by it.</summary>
    /// <param name="open">The message.</param>
    /// <param name="state">The worker.</param>
    /// <param name="holder">The shard that holds the session already: it goes on there if the path leads there, whatever else takes no new sessions.</param>
    public static OpenRoute Of(Open open, WorkerState state, Shard? holder = null)
    {
        if (state.IsDraining && holder is null)
        {
            return Refuse(RefusalCode.Stopping, "The worker is stopping.");
        }

        if (open.Path.Count > MostStages || (open.Path.Count > 0 && (open.Stage < 0 || open.Stage >= open.Path.Count)))
        {
            return Refuse(RefusalCode.Invalid, $"Stage {open.Stage} of a path of {open.Path.Count} stages makes no sense.");
        }

        LayerRange? range = open.Path.Count > 0 ? RangeOf(open.Path[open.Stage]) : null;
        var query = new ShardQuery(open.Model, open.WeightsHash, WorkerMapping.ToNumericClass(open.NumericClass), range);
        if (Choose(state, query, holder, out var instead) is not { } shard)
        {
            return Refuse(RefusalCode.WrongModel, instead);
        }

        if (open.Prompt.Count == 0)
        {
            return Refuse(RefusalCode.Invalid, "The prompt has no tokens.");
        }

        // A path of one stage is a whole model's: there is no ring to travel.
        if (open.Path.Count < 2)
        {
            return new OpenRoute(shard, null, RefusalCode.Unspecified, "");
        }

        return ToPath(open, state.WorkerId, out var error) is { } path && (error = path.FindError(shard.Model.LayerCount)) is null
            ? new OpenRoute(shard, path, RefusalCode.Unspecified, "")
            : Refuse(RefusalCode.Invalid, $"The session's path cannot be used: {error}.");
    }

    private static Shard? Choose(WorkerState state, in ShardQuery query, Shard? holder, out string instead)
    {
        if (holder is { Engine: not null } && ShardLookup.Find([holder], query, out instead) is { } same)
        {
            return same;
        }

        if (!state.IsDraining)
        {
            return ShardLookup.Find(state.Shards.Serving, query, out instead);
        }

        instead = "The worker is stopping.";
        return null;
    }

    private static StagePath? ToPath(Open open, string workerId, out string? error)
    {
        var stages = ImmutableArray.CreateBuilder<StageAddress>(open.Path.Count);
        foreach (var stage in open.Path)
        {
            if (!Uri.TryCreate(stage.Address, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                error = $"'{Wording.Printable(stage.Address)}' is not an address like http://10.0.0.2:7101";
                return null;
            }

            if (stage.Worker.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(stage.Worker) > WorkerOptions.MostIdBytes)
            {
                error = $"a worker's id has 1 to {WorkerOptions.MostIdBytes} bytes";
                return null;
            }

            stages.Add(new StageAddress(stage.Worker, address, RangeOf(stage)));
        }

        // The neighbours would wait for a peer that never introduces itself.
        error = stages[open.Stage].WorkerId == workerId
            ? null
            : $"it takes this worker for '{Wording.Printable(stages[open.Stage].WorkerId)}', and it is '{workerId}'";
        return error is null ? new StagePath(stages.MoveToImmutable(), open.Stage) : null;
    }

    private static LayerRange RangeOf(Stage stage) => new(stage.LayerStart, stage.LayerEnd);

    private static OpenRoute Refuse(RefusalCode code, string message) => new(null, null, code, message);
}
