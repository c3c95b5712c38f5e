namespace Parallax.Runtime.Blocks;

/// <summary>
/// How many bytes of filled blocks may be copied out now, so that no step is delayed by more than a share of a step's time
/// and a rate is kept. Pure: times are parameters.
/// </summary>
internal sealed class WritePacing
{
    /// <summary>What is copied in one go while no session is there.</summary>
    private static readonly TimeSpan IdleSlice = TimeSpan.FromMilliseconds(1);

    /// <summary>Until it has been measured: well below what memory gives.</summary>
    private const double FirstSpeed = 200e6;

    private const double Weight = 0.125;

    private readonly BlockExchangeOptions _options;
    private readonly int _part;
    private readonly double _burst;
    private double _speed = FirstSpeed; // bytes per second of copying
    private double _rateRoom;           // bytes that the rate allows now
    private double _credit;             // bytes that the share allows now
    private TimeSpan _filledAt;
    private TimeSpan _lastStep;

    /// <param name="options">Rate and shares.</param>
    /// <param name="largestPart">Bytes that cannot be divided.</param>
    public WritePacing(BlockExchangeOptions options, int largestPart)
    {
        (_options, _part) = (options, largestPart);
        _burst = Math.Max(4.0 * largestPart, options.WriteBytesPerSecond / 20.0);
        _rateRoom = _burst;
    }

    /// <summary>Bytes that may be copied after a step that took so long; 0 for none.</summary>
    public long AfterStep(TimeSpan now, TimeSpan took, bool isDraining)
    {
        // What one slice leaves is kept up to one part, so that a part that costs more than a slice has its turn now and then.
        var slice = took.TotalSeconds * ShareOf(isDraining) * _speed;
        _credit = Math.Min(_credit + slice, Math.Max(slice, _part));
        _lastStep = took;
        return Allowed(now, isDraining);
    }

    /// <summary>Bytes that may be copied before it is looked again whether there is something to compute; 0 for none.</summary>
    /// <param name="now">Since the engine's start.</param>
    /// <param name="hasSessions">Whether a row may come at any time.</param>
    /// <param name="isDraining">Whether the worker is about to leave.</param>
    public long AtIdle(TimeSpan now, bool hasSessions, bool isDraining)
    {
        var slice = (hasSessions ? _lastStep * ShareOf(isDraining) : IdleSlice).TotalSeconds * _speed;
        _credit = Math.Max(slice, _part);
        return Allowed(now, isDraining);
    }

    /// <summary>Bytes were copied, and how long that took.</summary>
    public void Copied(long bytes, TimeSpan took)
    {
        _credit -= bytes;
        _rateRoom -= bytes;
        if (bytes > 0 && took > TimeSpan.Zero)
        {
            _speed += Weight * ((bytes / took.TotalSeconds) - _speed);
        }
    }

    /// <summary>When the rate allows the next part.</summary>
    public TimeSpan NextDue(TimeSpan now, bool isDraining)
    {
        Refill(now);
        return isDraining || _rateRoom >= _part ? now : now + TimeSpan.FromSeconds((_part - _rateRoom) / _options.WriteBytesPerSecond);
    }

    private double ShareOf(bool isDraining) => isDraining ? _options.DrainShare : _options.WriteShare;

    private long Allowed(TimeSpan now, bool isDraining)
    {
        Refill(now);
        var allowed = isDraining ? _credit : Math.Min(_credit, _rateRoom);
        return allowed >= _part ? (long)allowed : 0;
    }

    private void Refill(TimeSpan now)
    {
        _rateRoom = Math.Min(_burst, _rateRoom + ((now - _filledAt).TotalSeconds * _options.WriteBytesPerSecond));
        _filledAt = now;
    }
}
