using Parallax.KvBlocks;
using Parallax.KvBlocks.Disk;
using Parallax.Transport.Framing;
using static Parallax.UnitTests.KvBlocks.StoreFixture;

namespace Parallax.UnitTests.KvBlocks;

/// <summary>A log that is cut off anywhere, or of which any byte is another one.</summary>
public sealed class SegmentScanTests
{
    private const ulong Mark = 0x1122334455667788;

    private static readonly int[] Lengths = [1, 300, 77, 1000];

    [Fact]
    public void Scan_OfALogCutAtAnyByte_FindsWhatIsWhole()
    {
        var (bytes, records) = Build();
        for (var length = SegmentHeader.Size; length <= bytes.Length; length++)
        {
            var whole = records.Where(record => record.Offset + RecordHeader.RecordBytes(record.Header.Part.Length) <= length).ToList();
            var skipped = Scan(bytes[..length], out var found);

            Assert.Equal(whole, found);
            Assert.Equal(length - SegmentHeader.Size - whole.Sum(static record => RecordHeader.RecordBytes(record.Header.Part.Length)), skipped);
        }
    }

    [Fact]
    public void Scan_OfALogWithAnyByteFlipped_LosesAtMostTheRecordOfThatByte()
    {
        var (bytes, records) = Build();
        for (var at = SegmentHeader.Size; at < bytes.Length; at++)
        {
            foreach (var flip in new byte[] { 0x01, 0x80, 0xFF })
            {
                var damaged = (byte[])bytes.Clone();
                damaged[at] ^= flip;
                Scan(damaged, out var found);

                var hit = records.Last(record => record.Offset <= at);
                Assert.Equal(records.Where(record => record != hit), found.Where(record => record != hit));
                if (found.Contains(hit))
                {
                    // A byte of the payload: its checksum tells.
                    Assert.NotEqual(hit.Header.Checksum, Crc32C.Compute(damaged.AsSpan((int)hit.Offset + RecordHeader.Size, hit.Header.Part.Length)));
                }
            }
        }
    }

    [Fact]
    public void Scan_OfAPartThatLooksLikeRecords_FindsNoneOfThem()
    {
        var header = Header(1, 5000);
        var forged = new byte[RecordHeader.Size];
        Header(666, 10).Write(forged, Mark + 1); // whoever puts a part does not know the mark
        var bytes = new byte[SegmentHeader.Size + RecordHeader.RecordBytes(5000)];
        SegmentHeader.Write(bytes, Mark);
        header.Write(bytes.AsSpan(SegmentHeader.Size), Mark);
        forged.CopyTo(bytes.AsSpan(SegmentHeader.Size + RecordHeader.Size + 100));
        bytes[SegmentHeader.Size + 20] ^= 1; // the header before it is damaged, so that all bytes behind it are searched

        Assert.Equal(bytes.Length - SegmentHeader.Size, Scan(bytes, out var found));
        Assert.Empty(found);
    }

    [Fact]
    public void Header_OfAnotherVersionOrKind_IsKnownAsSuch()
    {
        var bytes = new byte[SegmentHeader.Size];
        SegmentHeader.Write(bytes, Mark);
        Assert.Equal(SegmentKind.Ours, SegmentHeader.Read(bytes, out var mark, out _));
        Assert.Equal(Mark, mark);
        for (var length = 0; length < SegmentHeader.Size; length++)
        {
            Assert.Equal(SegmentKind.Empty, SegmentHeader.Read(bytes.AsSpan(0, length), out _, out _));
        }

        SegmentHeader.Write(bytes, Mark, version: 7);
        Assert.Equal(SegmentKind.OtherVersion, SegmentHeader.Read(bytes, out _, out var version));
        Assert.Equal(7u, version);
        SegmentHeader.Write(bytes, Mark);
        bytes[17] ^= 4;
        Assert.Equal(SegmentKind.Damaged, SegmentHeader.Read(bytes, out _, out _));
        Assert.Equal(SegmentKind.Foreign, SegmentHeader.Read("a text of some other program, and longer"u8, out _, out _));
        Assert.Equal(SegmentKind.Foreign, SegmentHeader.Read("text"u8, out _, out _));
    }

    private static RecordHeader Header(int block, int length) =>
        new(new ScannedPart(Alice, Kv(block, layer: block % 7), length, (UInt128)(uint)(block - 1)), Crc32C.Compute(BytesOf(block, length)));

    private static (byte[] Bytes, List<(RecordHeader Header, uint Offset)> Records) Build()
    {
        var bytes = new byte[SegmentHeader.Size + Lengths.Sum(static length => RecordHeader.RecordBytes(length))];
        SegmentHeader.Write(bytes, Mark);
        var records = new List<(RecordHeader, uint)>();
        var at = SegmentHeader.Size;
        for (var i = 0; i < Lengths.Length; i++)
        {
            var header = Header(i + 1, Lengths[i]);
            header.Write(bytes.AsSpan(at), Mark);
            BytesOf(i + 1, Lengths[i]).CopyTo(bytes, at + RecordHeader.Size);
            records.Add((header, (uint)at));
            at += (int)RecordHeader.RecordBytes(Lengths[i]);
        }

        return (bytes, records);
    }

    private static long Scan(byte[] bytes, out List<(RecordHeader Header, uint Offset)> found)
    {
        var records = new List<(RecordHeader, uint)>();
        var skipped = SegmentScan.Run(new MemorySegment(bytes), Mark, (header, offset) => records.Add((header, offset)));
        found = records;
        return skipped;
    }
}
