using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu.Control;

/// <summary>What the worker's control streams share. Thread-safe.</summary>
internal sealed class WorkerState : IDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _draining = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _streams;

    public WorkerState(ShardHost shards, WorkerOptions options, TimeProvider clock)
    {
        Shards = shards;
        WorkerId = options.Id;
        Sessions = new SessionTable(clock, options.RetainIds, options.MaxRetainedIds);
    }

    public ShardHost Shards { get; }

    /// <summary>By which links know this worker.</summary>
    public string WorkerId { get; }

    public SessionTable Sessions { get; }

    public long Incarnation => Shards.Incarnation;

    /// <summary>Whether new sessions are refused.</summary>
    public bool IsDraining => _draining.Task.IsCompleted;

    /// <summary>Completes when the worker is asked to stop.</summary>
    public Task Draining => _draining.Task;

    /// <summary>Cancelled when control streams are to send what they have and end.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>Control streams now open.</summary>
    public int StreamCount => Volatile.Read(ref _streams);

    public void OnStreamOpened() => Interlocked.Increment(ref _streams);

    public void OnStreamClosed()
    {
        if (Interlocked.Decrement(ref _streams) == 0 && _closing.IsCancellationRequested)
        {
            _closed.TrySetResult();
        }
    }

    /// <summary>Refuses new sessions from now on.</summary>
    public void StartDraining() => _draining.TrySetResult();

    /// <summary>Lets the control streams say goodbye; completes when the last one has ended.</summary>
    public Task CloseStreamsAsync()
    {
        _closing.Cancel();
        if (StreamCount == 0)
        {
            _closed.TrySetResult();
        }

        return _closed.Task;
    }

    public void Dispose() => _closing.Dispose();
}
