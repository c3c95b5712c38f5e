namespace Parallax.Swarm.Members;

/// <summary>Somebody asked this member to leave the swarm in order. Thread-safe.</summary>
public sealed class LeaveSignal
{
    private readonly TaskCompletionSource<string> _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the reason when a leave is asked for.</summary>
    public Task<string> Asked => _asked.Task;

    /// <summary>Asks; once is enough.</summary>
    public void Signal(string reason) => _asked.TrySetResult(reason);
}
