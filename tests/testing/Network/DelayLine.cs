namespace Parallax.Testing.Network;

/// <summary>
/// The bytes on their way in one direction, in order, and when each chunk arrives: it leaves when the ones before it
/// have, takes its length at the link's rate, and then the link's delay. Pure: the time comes with each call. Not
/// thread-safe.
/// </summary>
internal sealed class DelayLine
{
    private readonly Queue<(byte[] Bytes, TimeSpan Due)> _chunks = new();
    private TimeSpan _lastDeparture;
    private TimeSpan _lastDue;

    /// <summary>How the link behaves for what enters from now on.</summary>
    public LinkShape Shape { get; set; } = LinkShape.None;

    /// <summary>Bytes that have entered and not arrived.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether a chunk may enter; else the sender waits.</summary>
    public bool HasRoom => Bytes < Shape.Room;

    /// <summary>When the next chunk arrives; null when none is on its way.</summary>
    public TimeSpan? NextDue => _chunks.TryPeek(out var chunk) ? chunk.Due : null;

    /// <summary>A chunk enters.</summary>
    public void Add(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        var takes = Shape.BytesPerSecond == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)bytes.Length / Shape.BytesPerSecond);
        _lastDeparture = (now > _lastDeparture ? now : _lastDeparture) + takes;
        // A shorter delay than before overtakes nothing.
        var due = _lastDeparture + Shape.Delay;
        _lastDue = due > _lastDue ? due : _lastDue;
        _chunks.Enqueue((bytes.ToArray(), _lastDue));
        Bytes += bytes.Length;
    }

    /// <summary>The next chunk, if it has arrived by now.</summary>
    public bool TryTake(TimeSpan now, out byte[] bytes)
    {
        bytes = [];
        if (!_chunks.TryPeek(out var chunk) || chunk.Due > now)
        {
            return false;
        }

        bytes = _chunks.Dequeue().Bytes;
        Bytes -= bytes.Length;
        return true;
    }
}
