namespace Parallax.Worker.Gpu.Shards;

/// <summary>A shard's way out, as long as it drains. Guarded by its host, but for <see cref="Woken"/>.</summary>
internal sealed class Retirement
{
    private readonly TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Sessions that were ended, once the shard is gone.</summary>
    public Task<int> Ended { get; set; } = Task.FromResult(0);

    /// <summary>Whether the shard serves again: its way out is given up.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>Whether there is no way back.</summary>
    public bool IsFinal { get; set; }

    /// <summary>Completes when waiting for sessions has an end before its time.</summary>
    public Task Woken => _woken.Task;

    /// <summary>The shard is to stay.</summary>
    public void GiveUp()
    {
        IsGivenUp = true;
        _woken.TrySetResult();
    }

    /// <summary>Whether sessions are not waited for, and are to go on elsewhere.</summary>
    public bool IsHurried { get; private set; }

    /// <summary>Sessions have had time enough; whether they were still waited for.</summary>
    public bool Hurry()
    {
        IsHurried = true;
        return _woken.TrySetResult();
    }
}
