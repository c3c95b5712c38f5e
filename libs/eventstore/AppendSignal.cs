namespace Parallax.EventStore;

/// <summary>Wakes this process's subscribers when it has appended. Thread-safe.</summary>
internal sealed class AppendSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Completes at the next append; taken before one looks, so that none is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Raise() => Interlocked.Exchange(ref _next, New()).SetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
