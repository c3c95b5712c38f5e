namespace Parallax.Runtime.Execution;

/// <summary>
/// Calls from any thread to one consumer, in order, bounded: a caller that finds it full waits until the consumer has
/// taken what there is. Nothing is allocated once its buffers have grown.
/// </summary>
internal sealed class CommandQueue(int capacity)
{
    // Guards all fields; Monitor, because both sides wait on it.
    private readonly object _gate = new();
    private List<Command> _filling = [];
    private List<Command> _taken = [];
    private Thread? _consumer;
    private bool _woken;
    private bool _closed;

    /// <summary>Names the consuming thread, which is never made to wait for itself.</summary>
    public void SetConsumer(Thread consumer)
    {
        lock (_gate)
        {
            _consumer = consumer;
        }
    }

    /// <summary>Appends; false when the queue is closed.</summary>
    /// <param name="command">The call.</param>
    /// <param name="urgent">Whether it may exceed the capacity.</param>
    public bool Enqueue(in Command command, bool urgent = false)
    {
        lock (_gate)
        {
            while (_filling.Count >= capacity && !_closed && !urgent && Thread.CurrentThread != _consumer)
            {
                Monitor.Wait(_gate);
            }

            if (_closed)
            {
                return false;
            }

            _filling.Add(command);
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    /// <summary>Makes <see cref="Wait"/> return.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            _woken = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Takes all commands; the list is valid until the next call. For the consumer.</summary>
    public List<Command> Take()
    {
        lock (_gate)
        {
            _taken.Clear();
            (_filling, _taken) = (_taken, _filling);
            Monitor.PulseAll(_gate);
            return _taken;
        }
    }

    /// <summary>Blocks until there is a command or <see cref="Wake"/> was called. For the consumer.</summary>
    public void Wait()
    {
        lock (_gate)
        {
            while (_filling.Count == 0 && !_woken && !_closed)
            {
                Monitor.Wait(_gate);
            }

            _woken = false;
        }
    }

    /// <summary>Refuses further commands, releases waiting callers and returns what was left.</summary>
    public List<Command> Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
            var left = _filling;
            _filling = [];
            return left;
        }
    }
}
