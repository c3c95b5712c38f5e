using Parallax.Transport.Framing;

namespace Parallax.KvBlocks.Disk;

public sealed partial class DiskTier
{
    private const int LiveShare = 2; // a segment is compacted when at most 1 in so many of its bytes is of use

    /// <summary>
    /// Keeps all files below the budget: deletes segments of which nothing is of use, copies the rest out of those of which at most half is,
    /// and gives up the parts that were used longest ago until there is such a segment. One segment's worth of the budget is kept free for the copies.
    /// </summary>
    /// <returns>Whether there is room for one more part.</returns>
    private bool MakeRoom(int partBytes)
    {
        var bound = _options.Bytes - _options.SegmentBytes - RecordHeader.RecordBytes(partBytes);
        while (FileBytes > bound)
        {
            // Segments are few: at most 16 while the budget is small, one in 64 MiB when it is large.
            var least = _segments.Values.Where(segment => segment != _active).MinBy(segment => _store.LiveBytes(segment.Number));
            if (least is null)
            {
                if (_active is null)
                {
                    return false;
                }

                _active = null; // closed before it is full, so that it can be reclaimed
                continue;
            }

            var live = _store.LiveBytes(least.Number);
            if (live * LiveShare <= least.Length)
            {
                Compact(least);
            }
            else if (!_store.EvictFromDisk(Math.Max(1, (live * LiveShare) - least.Length)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Copies what is of use to the end of the log, and deletes the segment.</summary>
    private void Compact(SegmentFile segment)
    {
        var records = new List<(RecordHeader Header, uint Offset)>();
        if (_store.LiveBytes(segment.Number) > 0)
        {
            SegmentScan.Run(segment, segment.Mark, (header, offset) =>
            {
                if (_store.IsLive(header, segment.Number, offset))
                {
                    records.Add((header, offset));
                }
            });
        }

        foreach (var (header, offset) in records)
        {
            using var payload = _store.Rent(header.Part.Length);
            (int, uint)? copy = null;
            if (segment.Read(offset + RecordHeader.Size, payload.Span) == payload.Length && Crc32C.Compute(payload.Span) == header.Checksum)
            {
                copy = Append(header, payload.Memory);
                _counts.OnCompacted(RecordHeader.RecordBytes(payload.Length));
            }
            else
            {
                LogDamaged(segment.Path, payload.Length);
            }

            _store.Move(header, segment.Number, offset, copy);
        }

        _store.ForgetSegment(segment.Number);
        _segments.TryRemove(segment.Number, out _);
        segment.Delete();
        _counts.OnDropped();
    }
}
