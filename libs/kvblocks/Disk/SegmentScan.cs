using System.Buffers.Binary;

namespace Parallax.KvBlocks.Disk;

/// <summary>
/// Finds the records of a segment, of which any byte may be wrong and the end may be missing: after a damaged header it goes on at the
/// next one that is whole. The parts' bytes are not looked at; they are checked when they are read.
/// </summary>
internal static class SegmentScan
{
    private const int WindowBytes = 64 * 1024;

    /// <summary>Reads a segment whose header is <see cref="SegmentKind.Ours"/>.</summary>
    /// <param name="file">The segment.</param>
    /// <param name="mark">Its mark.</param>
    /// <param name="found">Told of each record and where it begins.</param>
    /// <returns>Bytes that belong to no record: damaged ones, and a record that was not written to its end.</returns>
    public static long Run(ISegmentBytes file, ulong mark, Action<RecordHeader, uint> found)
    {
        Span<byte> bytes = stackalloc byte[RecordHeader.Size];
        var skipped = 0L;
        long at = SegmentHeader.Size;
        while (at < file.Length)
        {
            var read = file.Read(at, bytes);
            if (read == RecordHeader.Size
                && RecordHeader.TryRead(bytes, mark, out var header)
                && at + RecordHeader.RecordBytes(header.Part.Length) <= file.Length)
            {
                found(header, (uint)at);
                at += RecordHeader.RecordBytes(header.Part.Length);
                continue;
            }

            var next = Find(file, mark, at + 1);
            skipped += next - at;
            at = next;
        }

        return skipped;
    }

    /// <summary>Where the mark stands next; the file's end when nowhere.</summary>
    private static long Find(ISegmentBytes file, ulong mark, long from)
    {
        Span<byte> pattern = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(pattern, mark);
        var window = new byte[WindowBytes];
        while (from < file.Length)
        {
            var read = file.Read(from, window);
            var at = window.AsSpan(0, read).IndexOf(pattern);
            if (at >= 0)
            {
                return from + at;
            }

            if (read < window.Length)
            {
                break;
            }

            from += read - (pattern.Length - 1);
        }

        return file.Length;
    }
}
