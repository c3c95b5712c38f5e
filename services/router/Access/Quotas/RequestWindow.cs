namespace Parallax.Router.Access.Quotas;

/// <summary>
/// Counts what happened in the last minute, second by second. It looks back over a minute and the part of a second that has passed,
/// so that no span of 60 seconds ever holds more than was counted. Pure; not thread-safe.
/// </summary>
internal sealed class RequestWindow
{
    private const int Seconds = 61;

    private readonly int[] _counts = new int[Seconds]; // by second modulo their number
    private long _newest = long.MinValue;

    /// <summary>How many were counted in the minute that ends now.</summary>
    public int Count { get; private set; }

    /// <summary>Lets time pass. A clock that is set back lets none pass; set back far, all that was counted has happened just now.</summary>
    public void Advance(DateTimeOffset now)
    {
        var second = now.ToUnixTimeSeconds();
        if (_newest != long.MinValue && _newest - second >= Seconds)
        {
            Array.Clear(_counts);
            _newest = second;
            _counts[second % Seconds] = Count;
            return;
        }

        if (_newest == long.MinValue || second - _newest >= Seconds)
        {
            Array.Clear(_counts);
            (_newest, Count) = (second, 0);
            return;
        }

        while (_newest < second)
        {
            _newest++;
            ref var slot = ref _counts[_newest % Seconds];
            Count -= slot;
            slot = 0;
        }
    }

    /// <summary>Counts one that happened just now.</summary>
    public void Add()
    {
        _counts[_newest % Seconds]++;
        Count++;
    }

    /// <summary>Counts one that happened at some time, unless that is out of sight; one of the future happens now.</summary>
    public void Add(DateTimeOffset at)
    {
        var second = Math.Min(at.ToUnixTimeSeconds(), _newest);
        if (_newest - second < Seconds)
        {
            _counts[second % Seconds]++;
            Count++;
        }
    }

    /// <summary>How long until no more than some are counted, if nothing is added.</summary>
    public TimeSpan UntilAtMost(int count, DateTimeOffset now)
    {
        var left = Count;
        for (var second = _newest - Seconds + 1; left > count && second <= _newest; second++)
        {
            left -= _counts[second % Seconds];
            if (left <= count)
            {
                return DateTimeOffset.FromUnixTimeSeconds(second + Seconds) - now;
            }
        }

        return TimeSpan.Zero;
    }
}
