namespace Parallax.Swarm.Telemetry;

/// <summary>
/// What the workers of a process have to say: the latest of each kind and worker, with whether it is still to be sent. Pure;
/// not thread-safe.
/// </summary>
/// <param name="mostWorkers">Workers that may speak; memory is bounded by that many envelopes and two more.</param>
internal sealed class NewsOutbox(int mostWorkers)
{
    private readonly OrderedDictionary<(NewsKind Kind, string Worker), (ReadOnlyMemory<byte> Envelope, Waiting Waiting)> _latest = [];

    private enum Waiting
    {
        Nothing,
        ToBeSaid,
        ToBeRepeated,
    }

    /// <summary>Replaces what was said before of the same thing.</summary>
    /// <exception cref="InvalidOperationException">Too many workers speak.</exception>
    public void Put(NewsKind kind, string worker, ReadOnlyMemory<byte> envelope)
    {
        if (kind == NewsKind.Worker && !_latest.ContainsKey((kind, worker)) && _latest.Keys.Count(static key => key.Kind == NewsKind.Worker) == mostWorkers)
        {
            throw new InvalidOperationException($"{mostWorkers} workers speak already; another connection is needed for '{worker}'.");
        }

        _latest[(kind, worker)] = (envelope, Waiting.ToBeSaid);
    }

    /// <summary>The connection is new: whoever listens there has heard nothing.</summary>
    public void SayEverything() => Mark(static _ => Waiting.ToBeSaid);

    /// <summary>
    /// A period is over: the workers' records are told as telemetry, for those who have missed them. Plans and revocations
    /// are not: they may be large, and the overlay has them.
    /// </summary>
    public void RepeatRecords() => Mark(static entry =>
        entry.Kind == NewsKind.Worker && entry.Waiting == Waiting.Nothing ? Waiting.ToBeRepeated : entry.Waiting);

    /// <summary>The next to be sent: what is new first.</summary>
    public bool TryTake(out OutgoingNews news)
    {
        var index = Find(Waiting.ToBeSaid) is >= 0 and var first ? first : Find(Waiting.ToBeRepeated);
        if (index < 0)
        {
            news = default;
            return false;
        }

        var ((kind, worker), (envelope, waiting)) = _latest.GetAt(index);
        _latest.SetAt(index, (envelope, Waiting.Nothing));
        news = new OutgoingNews(kind, worker, waiting == Waiting.ToBeRepeated, envelope);
        return true;
    }

    private int Find(Waiting wanted)
    {
        for (var i = 0; i < _latest.Count; i++)
        {
            if (_latest.GetAt(i).Value.Waiting == wanted)
            {
                return i;
            }
        }

        return -1;
    }

    private void Mark(Func<(NewsKind Kind, Waiting Waiting), Waiting> next)
    {
        for (var i = 0; i < _latest.Count; i++)
        {
            var (key, (envelope, waiting)) = _latest.GetAt(i);
            _latest.SetAt(i, (envelope, next((key.Kind, waiting))));
        }
    }
}
