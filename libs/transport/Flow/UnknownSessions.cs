using Parallax.Contracts.Identifiers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>
/// Answers runs of sessions that a worker does not hold: Unknown, once per session, epoch and connection (rule 4;
/// finding F9: an answer to each of k rows in flight is a storm). Remembers a bounded number; the oldest are forgotten,
/// which costs a repeated answer at most. One per link, not thread-safe.
/// </summary>
public sealed class UnknownSessions
{
    private readonly long _incarnation;
    private readonly int _capacity;
    private HashSet<(SessionId, Epoch)> _answered = [];
    private Queue<(SessionId, Epoch)> _order = [];
    private long _generation;

    /// <summary>Remembers at most <paramref name="capacity"/> answers for a worker of this incarnation.</summary>
    public UnknownSessions(long incarnation, int capacity = 1024)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (_incarnation, _capacity) = (incarnation, capacity);
    }

    /// <summary>The answer to a run that came on connection <paramref name="generation"/>; kind None when it was given already.</summary>
    public FlowMessage OnRun(long generation, in RowRun run)
    {
        if (generation < _generation)
        {
            return default;
        }

        if (generation > _generation)
        {
            _generation = generation;
            _answered.Clear();
            _order.Clear();
        }

        var key = (run.Session, run.Epoch);
        if (!_answered.Add(key))
        {
            return default;
        }

        _order.Enqueue(key);
        if (_order.Count > _capacity)
        {
            _answered.Remove(_order.Dequeue());
        }

        return new FlowMessage(FlowMessageKind.Unknown, run.Session, run.Epoch, _incarnation, 0);
    }

    /// <summary>The same memory, which goes its own way from here.</summary>
    internal UnknownSessions Clone()
    {
        var copy = (UnknownSessions)MemberwiseClone();
        (copy._answered, copy._order) = ([.. _answered], new Queue<(SessionId, Epoch)>(_order));
        return copy;
    }

    /// <summary>Says all that decides what it answers from here on, for tests that compare states.</summary>
    internal void WriteTo(List<long> state)
    {
        state.Add(_generation);
        state.Add(_order.Count);
        foreach (var (session, epoch) in _order)
        {
            state.Add(session.Value.GetHashCode());
            HopReceiver.WriteEpoch(state, epoch);
        }
    }
}
