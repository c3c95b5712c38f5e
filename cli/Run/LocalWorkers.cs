using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Cli.Run;

/// <summary>Starts the workers of <c>parallax run</c>: one for the whole model, or several that hold a part each.</summary>
internal static class LocalWorkers
{
    /// <summary>Loads all parts at once and serves them; in the order of their layers.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="progress">Told of all parts together.</param>
    /// <param name="notes">Told what a person should know: fewer workers than asked for.</param>
    /// <param name="swarm">Makes members of them, so that nobody else on this machine can look into their talk.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<ImmutableArray<LocalWorker>> StartAsync(
        RunSettings settings, IProgress<LoadProgress> progress, TextWriter notes, PrivateSwarm swarm, CancellationToken stop)
    {
        var (cut, hash) = await Task.Run(() => Cut(settings, notes), stop);
        var memory = new MemoryLedger(); // one for all: they share this machine
        var combined = new CombinedProgress(progress, cut[^1].End, cut.Length);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var starting = cut.Select((range, i) => OrGiveUpAsync(StartOneAsync(settings, cut.Length, i, range, hash, memory, swarm.CreateMember(MemberRoles.Worker), combined.Part(i), giveUp.Token), giveUp)).ToArray();
        await Task.WhenAll((IEnumerable<Task>)starting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (starting.All(static one => one.IsCompletedSuccessfully))
        {
            return [.. await Task.WhenAll(starting)];
        }

        foreach (var one in starting.Where(static one => one.IsCompletedSuccessfully))
        {
            await (await one).DisposeAsync();
        }

        // The one that failed says why; the others were only cancelled.
        await (starting.FirstOrDefault(static one => one.IsFaulted) ?? starting.First(static one => one.IsCanceled));
        throw new InvalidOperationException("a worker failed without an error");
    }

    private static async Task<LocalWorker> OrGiveUpAsync(Task<LocalWorker> one, CancellationTokenSource giveUp)
    {
        try
        {
            return await one;
        }
        catch
        {
            await giveUp.CancelAsync();
            throw;
        }
    }

    private static async Task<LocalWorker> StartOneAsync(
        RunSettings settings,
        int count,
        int index,
        LayerRange range,
        string hash,
        MemoryLedger memory,
        SwarmCredentials credentials,
        IProgress<LoadProgress> progress,
        CancellationToken stop)
    {
        var options = settings.ToWorker(index + 1);
        var shards = new ShardHost(options, new TokenSamplerFactory(), memory);
        Shard shard;
        try
        {
            var request = ShardRequest.First(options)! with { Range = count == 1 ? null : range, WeightsHash = hash };
            shard = await shards.LoadAsync(request, progress, stop);
        }
        catch
        {
            await shards.DisposeAsync();
            throw;
        }

        return await LocalWorker.StartAsync(options, shards, shard, credentials, stop);
    }

    /// <summary>The parts, and the weights' hash, which is computed once for all of them.</summary>
    private static (ImmutableArray<LayerRange> Ranges, string Hash) Cut(RunSettings settings, TextWriter notes)
    {
        using var model = ModelSource.Open(settings.Model);
        var layers = model.Spec.Layers.Length;
        var count = Math.Min(settings.Workers, layers);
        if (count < settings.Workers)
        {
            notes.WriteLine($"The model has {layers} layer{(layers == 1 ? "" : "s")}: {count} worker{(count == 1 ? "" : "s")} instead of {settings.Workers}.");
        }

        if (count == 1)
        {
            return ([new LayerRange(0, layers)], model.WeightsHash);
        }

        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 }); // says sizes, computes nothing
        return (StageCut.Of(model.Spec, model.Weights, backend, count), model.WeightsHash);
    }
}
