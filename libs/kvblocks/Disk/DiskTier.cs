using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Parallax.KvBlocks.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.KvBlocks.Disk;

/// <summary>
/// A store's parts on disk: a log of segment files, written by one loop in the background as soon as parts are committed, so
/// that a process that is killed loses the last moments only. Nothing waits for the disk: when it is full or fails, the memory tier
/// goes on, and writing is tried again. What is read is what was written, or it is a miss. Nothing is flushed to the
/// device but whole segments: after a loss of power the checksums tell what is left.
/// </summary>
public sealed partial class DiskTier : IPartDisk, IAsyncDisposable
{
    private readonly BlockStore _store;
    private readonly DiskTierOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly StoreFolder _folder;
    private readonly ConcurrentDictionary<int, SegmentFile> _segments = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stopping = new();
    private readonly DiskCounts _counts = new();
    private SegmentFile? _active; // of the loop alone, as the three below
    private int _nextNumber;
    private TimeSpan _pause;
    private Task _loop = Task.CompletedTask;
    private volatile string? _problem;

    private DiskTier(BlockStore store, DiskTierOptions options, StoreFolder folder, TimeProvider clock, ILogger logger)
    {
        (_store, _options, _folder, _clock, _logger) = (store, options, folder, clock, logger);
    }

    /// <summary>What it has and has done.</summary>
    public DiskStatistics Statistics => _counts.Read() with
    {
        Segments = _segments.Count,
        FileBytes = FileBytes,
        Problem = _problem,
    };

    private long FileBytes => _segments.Values.Sum(static segment => segment.Length);

    /// <summary>Gives a store its disk tier: finds what an earlier run left in the folder, and starts to write.</summary>
    /// <param name="store">A store with a disk budget, not used yet.</param>
    /// <param name="folder">Where; disposed of with this.</param>
    /// <param name="options">How.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="logger">Log.</param>
    /// <exception cref="KvBlocksException">The folder cannot be used.</exception>
    public static DiskTier Open(BlockStore store, StoreFolder folder, DiskTierOptions options, TimeProvider clock, ILogger<DiskTier> logger)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Bytes < DiskTierOptions.LeastBytes)
        {
            throw new KvBlocksException(string.Create(
                CultureInfo.InvariantCulture, $"A disk tier needs at least {DiskTierOptions.LeastBytes >> 20} MiB; these are {options.Bytes} bytes."));
        }

        var tier = new DiskTier(store, options, folder, clock, logger);
        try
        {
            tier.Restore();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tier.Close();
            throw new KvBlocksException($"The KV blocks in '{folder.Path}' cannot be read: {e.Message}", e);
        }

        store.Attach(tier, () => tier._wake.Writer.TryWrite(true));
        tier._loop = Task.Run(tier.RunAsync);
        return tier;
    }

    /// <inheritdoc/>
    async ValueTask<DiskRead> IPartDisk.ReadAsync(
        int segment, uint offset, ScannedPart part, uint checksum, PartBuffer payload, CancellationToken cancellationToken)
    {
        if (!_segments.TryGetValue(segment, out var file))
        {
            return DiskRead.Gone;
        }

        try
        {
            var bytes = new byte[RecordHeader.Size];
            return await file.ReadAsync(offset, bytes, cancellationToken) == bytes.Length
                && RecordHeader.TryRead(bytes, file.Mark, out var header)
                && header == new RecordHeader(part, checksum)
                && await file.ReadAsync(offset + RecordHeader.Size, payload.Memory, cancellationToken) == payload.Length
                && Crc32C.Compute(payload.Span) == checksum ? DiskRead.Ok : DiskRead.Bad;
        }
        catch (ObjectDisposedException)
        {
            return DiskRead.Gone; // its segment was deleted in between
        }
        catch (IOException e)
        {
            _counts.OnReadFailed();
            LogReadFailed(file.Path, e.Message);
            return DiskRead.Bad;
        }
    }

    /// <summary>Writes what waits, as far as the time for that goes, and closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _loop;
        Close();
        _stopping.Dispose();
    }

    private void Close()
    {
        foreach (var segment in _segments.Values)
        {
            segment.Dispose();
        }

        _segments.Clear();
        _folder.Dispose();
    }

    /// <summary>Reads the folder: the records of all segments in the order in which they were written.</summary>
    private void Restore()
    {
        var numbers = Directory.EnumerateFiles(_folder.Path).Select(static path => (Path: path, Number: SegmentFile.NumberOf(path))).ToList();
        foreach (var (path, number) in numbers.Where(static one => one.Number is not null).OrderBy(static one => one.Number))
        {
            _nextNumber = number!.Value + 1;
            if (SegmentFile.Open(path, number.Value, out var kind, out var version) is not { } segment)
            {
                LeaveOrDelete(path, kind, version);
                continue;
            }

            _segments[segment.Number] = segment;
            var skipped = SegmentScan.Run(segment, segment.Mark, (header, offset) =>
            {
                _store.Restore(header, segment.Number, offset);
                _counts.OnRestored();
            });
            if (skipped > 0)
            {
                _counts.OnDamaged(skipped);
                LogDamaged(path, skipped);
            }
        }

        if (!_segments.IsEmpty)
        {
            LogRestored(_store.Statistics.Parts, _segments.Count, FileBytes, _folder.Path);
        }
    }

    private void LeaveOrDelete(string path, SegmentKind kind, uint version)
    {
        switch (kind)
        {
            case SegmentKind.OtherVersion:
                _counts.OnLeftAlone();
                LogOtherVersion(path, version, SegmentHeader.Version);
                break;
            case SegmentKind.Foreign:
                _counts.OnLeftAlone();
                LogForeign(path);
                break;
            default:
                // It is ours, and nothing of it can be read.
                _counts.OnDamaged(new FileInfo(path).Length);
                LogDamaged(path, new FileInfo(path).Length);
                File.Delete(path);
                break;
        }
    }

    private async Task RunAsync()
    {
        var stop = _stopping.Token;
        try
        {
            while (true)
            {
                await _wake.Reader.ReadAsync(stop);
                while (!stop.IsCancellationRequested && _store.TryTakeUnwritten(out var part))
                {
                    if (!TryWrite(part))
                    {
                        await Task.Delay(_pause, _clock, stop);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Drain();
        }
    }

    private void Drain()
    {
        var began = _clock.GetTimestamp();
        while (_clock.GetElapsedTime(began) < _options.DrainTime && _store.TryTakeUnwritten(out var part) && TryWrite(part))
        {
            // One part after the other.
        }

        try
        {
            _active?.Flush();
        }
        catch (IOException e)
        {
            OnWriteFailed(e);
        }
    }

    /// <summary>Writes one part; false when the disk did not take it.</summary>
    private bool TryWrite(in UnwrittenPart part)
    {
        try
        {
            if (MakeRoom(part.Part.Length))
            {
                var (segment, offset) = Append(new RecordHeader(part.Part, part.Checksum), part.Payload.Memory);
                _store.MarkWritten(part, segment, offset);
                _counts.OnWritten();
            }
            else
            {
                _counts.OnSkipped();
            }

            if (_problem is not null)
            {
                _problem = null;
                LogWritesAgain(_folder.Path);
            }

            _pause = TimeSpan.Zero;
            return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            OnWriteFailed(e);
            _store.PutBack(part);
            return false;
        }
        finally
        {
            part.Payload.Dispose();
        }
    }

    private void OnWriteFailed(Exception e)
    {
        _counts.OnWriteFailed();
        if (_problem is null)
        {
            LogWriteFailed(_folder.Path, e.Message);
        }

        _problem = $"KV blocks cannot be written to '{_folder.Path}': {e.Message}";
        _pause = _pause == TimeSpan.Zero ? _options.FirstPause : TimeSpan.FromTicks(Math.Min(2 * _pause.Ticks, _options.LongestPause.Ticks));
    }

    private (int Segment, uint Offset) Append(in RecordHeader header, ReadOnlyMemory<byte> payload)
    {
        if (_active is { } full && full.Length >= _options.SegmentBytes)
        {
            full.Flush();
            _active = null;
        }

        if (_active is null)
        {
            _active = SegmentFile.Create(_folder.Path, _nextNumber, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
            _nextNumber++;
            _segments[_active.Number] = _active;
        }

        var offset = _active.Append(header, payload);
        _counts.OnAppended(RecordHeader.RecordBytes(payload.Length));
        return (_active.Number, offset);
    }
}
