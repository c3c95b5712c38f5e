namespace Parallax.Worker.Gpu.Shards;

public sealed partial class ShardHost
{
    /// <summary>How long cancelled sessions may take to end; an engine that does not end them is disposed all the same.</summary>
    private static readonly TimeSpan CancelTime = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Takes no new sessions on a shard, lets running ones end, ends the rest with an error, and frees it. A shard that
    /// drains already goes on as it does.
    /// </summary>
    /// <param name="id">The shard.</param>
    /// <param name="drainTime">How long running sessions may go on.</param>
    /// <returns>Sessions that were ended.</returns>
    /// <exception cref="ShardRefusedException">There is no such shard, or it loads.</exception>
    public Task<int> UnloadAsync(string id, TimeSpan drainTime)
    {
        ArgumentNullException.ThrowIfNull(id);
        lock (_gate)
        {
            var shard = Find(id) ?? throw NotFound(id);
            return shard.Phase != ShardPhase.Loading
                ? Retire(shard, drainTime, $"shard {shard.Id} was unloaded")
                : throw new ShardRefusedException(
                    ShardRefusal.Conflict, $"Shard {shard.Id} is loading: cancel the call that loads it, or wait until it serves.");
        }
    }

    /// <summary>Takes new sessions again on a shard that drains and is not gone yet; those that run go on.</summary>
    /// <returns>Whether it serves again; false when it does not drain, or there is no way back.</returns>
    public bool TryServeAgain(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        lock (_gate)
        {
            if (Find(id) is not { Retirement: { IsFinal: false } retirement } shard)
            {
                return false;
            }

            retirement.GiveUp();
            shard.Retirement = null;
            shard.ServeAgain();
            SignalChange();
            return true;
        }
    }

    /// <summary>Ends the sessions of a shard that drains now, in place of waiting for them, as a worker does that stops: they go on elsewhere.</summary>
    /// <returns>Whether they were still waited for.</returns>
    public bool HurryUnload(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        lock (_gate)
        {
            return Find(id)?.Retirement?.Hurry() ?? false;
        }
    }

    private Task<int> Retire(Shard shard, TimeSpan drainTime, string reason)
    {
        lock (_gate)
        {
            if (shard.Retirement is { } running)
            {
                return running.Ended;
            }

            shard.Drain();
            SignalChange();
            var retirement = shard.Retirement = new Retirement();
            return retirement.Ended = Task.Run(() => RetireAsync(shard, retirement, drainTime, reason));
        }
    }

    private async Task<int> RetireAsync(Shard shard, Retirement retirement, TimeSpan drainTime, string reason)
    {
        // 1. Running sessions may end by themselves. 2. The others are told. 3. The engine goes, and its memory.
        var cancelled = 0;
        var isIdle = await IsIdleWithinAsync(shard, drainTime, retirement.Woken);
        bool isHurried;
        lock (_gate)
        {
            if (retirement.IsGivenUp)
            {
                return 0;
            }

            (retirement.IsFinal, isHurried) = (true, retirement.IsHurried);
        }

        if (!isIdle)
        {
            cancelled = isHurried ? shard.CancelAll() : shard.AbortAll($"{reason} while the answer ran");
            await IsIdleWithinAsync(shard, CancelTime);
        }

        var engine = shard.Engine!;
        lock (_gate)
        {
            // What it has counted outlives it.
            _retired = _retired.PlusCounters(engine.ReadStats());
            shard.Free();
        }

        try
        {
            if (shard.Plan is not null)
            {
                await engine.DisposeAsync();
                shard.Loaded!.Dispose();
            }
        }
        finally
        {
            Forget(shard);
        }

        return cancelled;
    }

    private async Task<bool> IsIdleWithinAsync(Shard shard, TimeSpan patience, Task? woken = null)
    {
        using var waited = new CancellationTokenSource();
        var idle = shard.WhenIdleAsync();
        await Task.WhenAny(idle, woken ?? idle, Task.Delay(patience, _clock, waited.Token));
        await waited.CancelAsync();
        return idle.IsCompleted;
    }

    /// <summary>Under the lock.</summary>
    private Shard? Find(string id) => _shards.FirstOrDefault(shard => shard.Id == id);

    /// <summary>Under the lock.</summary>
    private ShardRefusedException NotFound(string id) => new(
        ShardRefusal.NotFound,
        $"There is no shard '{Wording.Printable(id)}'; the worker has {(_shards.Count == 0 ? "none" : string.Join(", ", _shards.Select(static shard => shard.Id)))}.");
}
