namespace Parallax.Cli.Chaos.Network;

/// <summary>Lets bytes of one direction pass, or holds them back. Thread-safe.</summary>
internal sealed class Gate
{
    private readonly Lock _lock = new(); // guards what follows
    private TaskCompletionSource? _closed;
    private int _holders;
    private int _corrupt;

    /// <summary>Completes when bytes may pass.</summary>
    public Task Open
    {
        get
        {
            lock (_lock)
            {
                return _closed?.Task ?? Task.CompletedTask;
            }
        }
    }

    /// <summary>Holds bytes back until everybody who did so has released them.</summary>
    public void Hold()
    {
        lock (_lock)
        {
            _holders++;
            _closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Takes one <see cref="Hold"/> back.</summary>
    public void Release()
    {
        lock (_lock)
        {
            if (--_holders == 0)
            {
                _closed?.SetResult();
                _closed = null;
            }
        }
    }

    /// <summary>A bit is to be flipped in each of the next chunks.</summary>
    public void Corrupt(int chunks)
    {
        lock (_lock)
        {
            _corrupt += chunks;
        }
    }

    /// <summary>Whether the chunk that passes now is one of them.</summary>
    public bool TakeCorruption()
    {
        lock (_lock)
        {
            return _corrupt > 0 && _corrupt-- > 0;
        }
    }
}
