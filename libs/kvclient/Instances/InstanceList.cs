using System.Collections.Immutable;

namespace Parallax.KvClient.Instances;

/// <summary>Instances that somebody names. Thread-safe.</summary>
public sealed class InstanceList : IKvInstances
{
    private readonly Lock _gate = new(); // guards the writing of both below
    private ImmutableArray<KvInstance> _current = [];
    private TaskCompletionSource _changed = NewSignal();

    /// <inheritdoc/>
    public ImmutableArray<KvInstance> Current
    {
        get
        {
            lock (_gate)
            {
                return _current;
            }
        }
    }

    /// <inheritdoc/>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>From now on there are these.</summary>
    public void Set(IEnumerable<KvInstance> instances)
    {
        ImmutableArray<KvInstance> next = [.. instances.OrderBy(static instance => instance.Id)];
        TaskCompletionSource changed;
        lock (_gate)
        {
            if (next.AsSpan().SequenceEqual(_current.AsSpan()))
            {
                return;
            }

            _current = next;
            changed = _changed;
            _changed = NewSignal();
        }

        changed.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
