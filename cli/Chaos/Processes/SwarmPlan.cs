using System.Collections.Immutable;
using System.Globalization;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Runtime.Models;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>The processes of a local swarm.</summary>
/// <param name="Model">The model's path.</param>
/// <param name="Workers">Who holds what; layers may be held by several.</param>
internal sealed record SwarmPlan(string Model, ImmutableArray<PlannedWorker> Workers)
{
    /// <summary>Compute threads of each worker.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Greatest length of prompt and answer, in tokens; null for the workers' default.</summary>
    public int? Context { get; init; }

    /// <summary>Routers.</summary>
    public int Routers { get; init; } = 1;

    /// <summary>Whether processes reach each other through relays that can cut, corrupt and hold back.</summary>
    public bool WithRelays { get; init; }

    /// <summary>Further options of each worker.</summary>
    public ImmutableArray<string> WorkerOptions { get; init; } = [];

    /// <summary>Further options of each router.</summary>
    public ImmutableArray<string> RouterOptions { get; init; } = [];

    /// <summary>Stages of the ring.</summary>
    public int Stages => Workers.Max(static worker => worker.Stage) + 1;

    /// <summary>A model cut evenly, with spare workers for each range: w0a, w0b, ..., w1a, ...</summary>
    /// <param name="model">A model folder or file.</param>
    /// <param name="stages">Stages of the ring.</param>
    /// <param name="spares">Workers more than one for each range.</param>
    /// <exception cref="OptionsException">The model has fewer layers.</exception>
    public static SwarmPlan Cut(string model, int stages, int spares)
    {
        int layers;
        using (var source = ModelSource.Open(model))
        {
            layers = source.Spec.Layers.Length;
        }

        OptionsException.ThrowIfAny(stages <= layers ? [] : [$"--stages: the model has {layers} layers, too few for {stages} stages."]);
        return new SwarmPlan(Path.GetFullPath(model),
        [
            .. from stage in Enumerable.Range(0, stages)
               from copy in Enumerable.Range(0, spares + 1)
               select new PlannedWorker(IdOf(stage, copy), stage, new LayerRange(stage * layers / stages, (stage + 1) * layers / stages)),
        ]);
    }

    private static string IdOf(int stage, int copy) => string.Create(
        CultureInfo.InvariantCulture, $"w{stage}{(copy < 26 ? ((char)('a' + copy)).ToString() : $"-{copy}")}");
}
