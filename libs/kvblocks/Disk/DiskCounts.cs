namespace Parallax.KvBlocks.Disk;

/// <summary>What <see cref="DiskStatistics"/> tells, while it is being counted. Thread-safe.</summary>
internal sealed class DiskCounts
{
    private readonly Lock _gate = new(); // guards _counts
    private DiskStatistics _counts = new();

    public DiskStatistics Read()
    {
        lock (_gate)
        {
            return _counts;
        }
    }

    public void OnRestored() => Change(static counts => counts with { Restored = counts.Restored + 1 });

    public void OnWritten() => Change(static counts => counts with { Written = counts.Written + 1 });

    public void OnAppended(long bytes) => Change(counts => counts with { WrittenBytes = counts.WrittenBytes + bytes });

    public void OnCompacted(long bytes) => Change(counts => counts with { CompactedBytes = counts.CompactedBytes + bytes });

    public void OnDropped() => Change(static counts => counts with { Dropped = counts.Dropped + 1 });

    public void OnWriteFailed() => Change(static counts => counts with { WriteFailures = counts.WriteFailures + 1 });

    public void OnSkipped() => Change(static counts => counts with { Skipped = counts.Skipped + 1 });

    public void OnReadFailed() => Change(static counts => counts with { ReadFailures = counts.ReadFailures + 1 });

    public void OnDamaged(long bytes) => Change(counts => counts with { DamagedBytes = counts.DamagedBytes + bytes });

    public void OnLeftAlone() => Change(static counts => counts with { FilesLeftAlone = counts.FilesLeftAlone + 1 });

    private void Change(Func<DiskStatistics, DiskStatistics> change)
    {
        lock (_gate)
        {
            _counts = change(_counts);
        }
    }
}
