using Parallax.Runtime.Execution;

namespace Parallax.Worker.Gpu.Shards;

public sealed partial class ShardHost
{
    /// <summary>Loads layers and serves them; a shard that they replace drains from that moment on.</summary>
    /// <param name="request">Which, and how.</param>
    /// <param name="progress">Told after each layer, on the loading thread; may be null.</param>
    /// <param name="cancellationToken">Gives the load up; what was read is freed.</param>
    /// <exception cref="ShardRefusedException">Refused before anything was read.</exception>
    /// <exception cref="LayerRangeException">The model has no such layers.</exception>
    /// <exception cref="Parallax.Runtime.Weights.ModelFormatException">The model cannot be read or is not supported.</exception>
    public async Task<Shard> LoadAsync(ShardRequest request, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Validate() is { Count: > 0 } errors)
        {
            throw new ShardRefusedException(ShardRefusal.Invalid, $"The shard cannot be loaded: {string.Join("; ", errors)}.");
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        await _turn.WaitAsync(either.Token);
        try
        {
            // A thread of its own: reading and packing gigabytes would hold up a thread that serves calls.
            return await Task.Factory.StartNew(
                () => Load(request, progress, either.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            _turn.Release();
        }
    }

    private Shard Load(ShardRequest request, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireReplaceable(request.Replaces);
        using var loader = ShardLoader.Open(request.ToLoader(_threads));
        var shard = Admit(loader);
        LoadedShard? loaded = null;
        try
        {
            loaded = loader.Load(progress, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            Activate(shard, loaded, CreateEngine(shard, loaded), request.Replaces);
            return shard;
        }
        catch
        {
            loaded?.Shard.Dispose();
            loaded?.Dispose();
            Forget(shard);
            throw;
        }
    }

    /// <summary>Reserves the memory and enters the shard as loading.</summary>
    private Shard Admit(ShardLoader loader)
    {
        var plan = loader.Plan;
        lock (_gate)
        {
            if (_shards.Count >= MostShards)
            {
                throw new ShardRefusedException(ShardRefusal.NoRoom, $"The worker has {_shards.Count} shards, which is as many as it takes; unload one.");
            }

            if (!_memory.TryReserve(plan.TotalBytes, out var free))
            {
                throw new ShardRefusedException(
                    ShardRefusal.NoRoom,
                    $"layers {plan.Range} of {loader.ModelName} need {Wording.MiB(plan.TotalBytes)} MiB (weights {Wording.MiB(plan.WeightBytes)}, "
                    + $"KV {Wording.MiB(plan.KvBytes)}, hidden states {Wording.MiB(plan.JournalBytes)}, scratch {Wording.MiB(plan.ScratchBytes)}) and "
                    + $"{Wording.MiB(free)} MiB of {Wording.MiB(_memory.Limit)} MiB are free: take fewer layers, less KV room or a shorter context, "
                    + "unload a shard, or give the worker more with --memory.");
            }

            var shard = new Shard(NextId(), new WorkerModel(loader.ModelName, loader.Spec.Layers.Length), plan.Range, plan);
            _shards.Add(shard);
            return shard;
        }
    }

    private void Activate(Shard shard, LoadedShard loaded, ISessionEngine engine, string? replaces)
    {
        lock (_gate)
        {
            shard.Serve(engine, loaded);

            // It may have gone meanwhile by an unload of its own: then there is nothing left to do.
            if (replaces is { Length: > 0 } && Find(replaces) is { Phase: ShardPhase.Serving } replaced)
            {
                _ = Retire(replaced, _drainTime, $"shard {replaced.Id} was replaced by {shard.Id}");
            }

            SignalChange();
        }
    }

    private void RequireReplaceable(string? replaces)
    {
        if (replaces is not { Length: > 0 })
        {
            return;
        }

        lock (_gate)
        {
            var replaced = Find(replaces) ?? throw NotFound(replaces);
            if (replaced.Phase != ShardPhase.Serving)
            {
                throw new ShardRefusedException(
                    ShardRefusal.Conflict, $"Shard {replaced.Id} cannot be replaced: it is {replaced.Phase.ToString().ToLowerInvariant()}, not serving.");
            }
        }
    }

    private void Forget(Shard shard)
    {
        Blocks?.Close(shard.Id);
        lock (_gate)
        {
            _shards.Remove(shard);
        }

        _memory.Release(shard.Plan?.TotalBytes ?? 0);
    }
}
