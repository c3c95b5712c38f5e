using Parallax.Contracts.V1;
using Parallax.Swarm.Members;

namespace Parallax.UnitTests.Swarm;

/// <summary>A worker that says of itself what a test tells it.</summary>
internal sealed class FakeRecord : IMemberRecord
{
    private TaskCompletionSource _changed = New();
    private volatile WorkerRecord _says = new() { Incarnation = 1, Name = "w", Phase = WorkerPhase.Standby };

    public Task Changed => Volatile.Read(ref _changed).Task;

    public WorkerRecord Describe() => _says.Clone();

    /// <summary>Says something else from now on, and wakes who waits for it if it is to be known at once.</summary>
    public void Say(Action<WorkerRecord> change, bool isUrgent = false)
    {
        var next = _says.Clone();
        change(next);
        _says = next;
        if (isUrgent)
        {
            Interlocked.Exchange(ref _changed, New()).SetResult();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
