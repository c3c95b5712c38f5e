namespace Parallax.Scheduler.Audit;

/// <summary>
/// The latest streams of which a batch went to the error queue. What follows in them would wait in vain for what is there, and keep
/// others waiting. Thread-safe.
/// </summary>
internal sealed class GivenUpStreams
{
    /// <summary>Streams that are remembered.</summary>
    public const int Most = 4096;

    private readonly Lock _gate = new(); // guards both
    private readonly HashSet<string> _streams = new(StringComparer.Ordinal);
    private readonly Queue<string> _inOrder = new();

    public void Add(string stream)
    {
        lock (_gate)
        {
            if (_streams.Add(stream))
            {
                _inOrder.Enqueue(stream);
                if (_inOrder.Count > Most)
                {
                    _streams.Remove(_inOrder.Dequeue());
                }
            }
        }
    }

    public bool Contains(string stream)
    {
        lock (_gate)
        {
            return _streams.Contains(stream);
        }
    }
}
