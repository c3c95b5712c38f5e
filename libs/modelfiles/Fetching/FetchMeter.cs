namespace Parallax.ModelFiles.Fetching;

/// <summary>Counts what has come and tells it, in order. Thread-safe.</summary>
internal sealed class FetchMeter
{
    private readonly Lock _gate = new(); // guards _done, and keeps reports in order
    private readonly long _before;
    private readonly long _total;
    private readonly TimeProvider _clock;
    private readonly IProgress<FetchProgress>? _progress;
    private readonly long _start;
    private long _done;

    public FetchMeter(long before, long total, TimeProvider clock, IProgress<FetchProgress>? progress)
    {
        _before = _done = before;
        _total = total;
        _clock = clock;
        _progress = progress;
        _start = clock.GetTimestamp();
        Add(0);
    }

    /// <summary>Peers that are read from.</summary>
    public int Peers { get; set; }

    public void Add(long bytes)
    {
        lock (_gate)
        {
            _done += bytes;
            var seconds = _clock.GetElapsedTime(_start).TotalSeconds;
            _progress?.Report(new FetchProgress(_done, _total, seconds > 0 ? (_done - _before) / seconds : 0, Peers));
        }
    }
}
