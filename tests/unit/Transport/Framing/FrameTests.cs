using System.Buffers.Binary;
using CsCheck;
using Parallax.Contracts.Identifiers;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Transport.Framing;

public sealed class FrameTests
{
    private static readonly TensorBufferPool Pool = new();
    private static readonly RowRun Run = new(
        new SessionId(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff")),
        new Epoch(5, Guid.Parse("0f0e0d0c-0b0a-0908-0706-050403020100"), 3),
        7, RowKind.Forward, 16, 2, TensorType.Bf16, 3);

    [Fact]
    public void Crc32C_PublishedVectors_Match()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32])); // RFC 3720, B.4
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
    }

    [Fact]
    public void Crc32C_InstructionAndSoftwareInPieces_Agree() =>
        Gen.Select(Gen.OneOf(Gen.Byte.Array[0, 200], Gen.Byte.Array[3000, 9500]), Gen.Int[0, 4000]).Sample((bytes, cut) =>
        {
            cut = Math.Min(cut, bytes.Length);
            var whole = Crc32C.Compute(bytes);
            Assert.Equal(whole, Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
            Assert.Equal(whole, ~Crc32C.AppendSoftware(~0u, bytes));
        });

    [Fact]
    public void RowFrame_Golden_Bytes()
    {
        using var frame = Build(sealNumber: 2);

        Assert.Equal(
            "504C5846" + "01" + "01" + "0100" + "3800" + "0000" + "64000000" + Convert.ToHexString(frame.Span.Slice(16, 4))
            + "000102030405060708090A0B0C0D0E0F" + "1011121314151617" + "01" + "000000" + "0200000000000000"
            + "0100" + "0000"
            + "60000000" + "4800" + "01" + "01"
            + "00112233445566778899AABBCCDDEEFF"
            + "0500000000000000" + "0F0E0D0C0B0A09080706050403020100" + "03000000"
            + "0700000000000000" + "10000000" + "02000000" + "03000000"
            + "64000000" + "65000000" + "00010000" + "010203040506" + "070809101112",
            Convert.ToHexString(frame.Span));
        Assert.Equal(BinaryPrimitives.ReadUInt32LittleEndian(frame.Span[16..]), FrameHeader.Checksum(frame.Span));
    }

    [Fact]
    public void RowFrame_RoundTrip_GivesBackRunsAndHeader()
    {
        using var frame = Build(sealNumber: 9);

        Assert.Equal(FrameRefusal.None, FrameHeader.Read(frame.Span, out var header));
        Assert.Equal((FrameType.Rows, 9ul, (byte)1), (header.Type, header.Number, header.Trace.Flags));
        var reader = new RowFrameReader(frame.Span, header);
        Assert.True(reader.MoveNext());
        Assert.Equal(FrameRefusal.None, reader.Refusal);
        Assert.Equal(Run, reader.Current.Head);
        Assert.Equal([100, 101], reader.Current.TokenIds.ToArray());
        Assert.Equal((false, true), (reader.Current.Samples(0), reader.Current.Samples(1)));
        Assert.Equal([7, 8, 9, 16, 17, 18], reader.Current.Row(1).ToArray());
        Assert.False(reader.MoveNext());
    }

    [Fact]
    public void Read_OlderMinor_IsUnderstoodWithoutTheAppendedField()
    {
        using var current = Build(sealNumber: 4);
        // A version 1.0 frame: no frame number in the header.
        byte[] old = [.. current.Span[..48], .. current.Span[56..]];
        old[5] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(old.AsSpan(8), 48);
        Reseal(old);

        Assert.Equal(FrameRefusal.None, FrameHeader.Read(old, out var header));
        Assert.Equal((0ul, (byte)0), (header.Number, header.Minor));
        AssertOneGoodRun(old, header);
    }

    [Fact]
    public void Read_NewerMinor_SkipsAppendedFieldsInHeaderAndRun()
    {
        using var current = Build(sealNumber: 4);
        // A version 1.7 frame: eight more bytes in the header, four in the run's head.
        byte[] newer = [.. current.Span[..56], .. new byte[8], .. current.Span[56..132], 1, 2, 3, 4, .. current.Span[132..]];
        newer[5] = 7;
        BinaryPrimitives.WriteUInt16LittleEndian(newer.AsSpan(8), 64);
        BinaryPrimitives.WriteInt32LittleEndian(newer.AsSpan(12), newer.Length - 64);
        BinaryPrimitives.WriteInt32LittleEndian(newer.AsSpan(68), 100);
        BinaryPrimitives.WriteUInt16LittleEndian(newer.AsSpan(72), 76);
        Reseal(newer);

        Assert.Equal(FrameRefusal.None, FrameHeader.Read(newer, out var header));
        Assert.Equal(4ul, header.Number);
        AssertOneGoodRun(newer, header);
    }

    [Theory]
    [InlineData(0, 0x51, FrameRefusal.BadMagic)]
    [InlineData(4, 2, FrameRefusal.UnsupportedVersion)]
    [InlineData(8, 40, FrameRefusal.BadHeaderLength)]
    [InlineData(9, 0xFF, FrameRefusal.BadHeaderLength)]
    [InlineData(12, 0x65, FrameRefusal.LengthMismatch)]
    [InlineData(15, 0xFF, FrameRefusal.LengthMismatch)]
    [InlineData(16, 0xEE, FrameRefusal.ChecksumMismatch)]
    [InlineData(150, 0xEE, FrameRefusal.ChecksumMismatch)]
    public void Read_ByteChanged_RefusesWithTheReason(int offset, byte value, FrameRefusal expected)
    {
        using var frame = Build(sealNumber: 1);
        frame.Span[offset] = value;

        Assert.Equal(expected, FrameHeader.Read(frame.Span, out _));
    }

    [Theory]
    [InlineData(66, 9, FrameRefusal.UnknownKind)]
    [InlineData(66, 4, FrameRefusal.UnknownKind)] // backward is reserved
    [InlineData(67, 9, FrameRefusal.BadTensor)]
    [InlineData(67, 4, FrameRefusal.BadTensor)] // logprobs do not go forward
    [InlineData(64, 8, FrameRefusal.BadHeadLength)]
    [InlineData(91, 0x80, FrameRefusal.BadValue)]
    [InlineData(123, 0x80, FrameRefusal.BadPosition)]
    [InlineData(124, 0, FrameRefusal.BadCount)]
    [InlineData(124, 3, FrameRefusal.BadCount)]
    [InlineData(127, 0x7F, FrameRefusal.BadCount)]
    [InlineData(131, 0x7F, FrameRefusal.BadTensor)]
    [InlineData(128, 200, FrameRefusal.BadCount)]
    public void MoveNext_OneBadRunOfTwo_IsRefusedAlone(int offset, byte value, FrameRefusal expected)
    {
        using var frame = Build(sealNumber: 1, runs: 2);
        frame.Span[offset] = value;
        FrameHeader.Seal(frame.Span, 1);
        Assert.Equal(FrameRefusal.None, FrameHeader.Read(frame.Span, out var header));

        var reader = new RowFrameReader(frame.Span, header);
        Assert.True(reader.MoveNext());
        Assert.Equal(expected, reader.Refusal);
        Assert.False(expected.LosesFrame());
        Assert.True(reader.MoveNext());
        Assert.Equal(FrameRefusal.None, reader.Refusal);
        Assert.False(reader.MoveNext());
    }

    [Fact]
    public void MoveNext_RunLengthLeavesTheFrame_RefusesTheRest()
    {
        using var frame = Build(sealNumber: 1, runs: 2);
        frame.Span[61] = 0x70;
        FrameHeader.Seal(frame.Span, 1);
        FrameHeader.Read(frame.Span, out var header);

        var reader = new RowFrameReader(frame.Span, header);
        Assert.True(reader.MoveNext());
        Assert.Equal(FrameRefusal.BadLength, reader.Refusal);
        Assert.True(reader.Refusal.LosesFrame());
        Assert.False(reader.MoveNext());
    }

    [Fact]
    public void Append_RunLongerThanAFrame_IsSplitByTheRowsTaken()
    {
        using var builder = new RowFrameBuilder(Pool);
        var ids = Enumerable.Range(0, 300).ToArray();
        var payload = new byte[300 * 8192];
        new Random(1).NextBytes(payload);
        var (done, got) = (0, new List<byte>());
        while (done < 300)
        {
            var rest = Run with { First = 16 + done, Count = 300 - done, Width = 4096 };
            var taken = builder.Append(rest, ids.AsSpan(done), 1000, payload.AsSpan(done * 8192));
            Assert.True(taken > 0);
            done += taken;
            using var frame = builder.Complete()!;
            Assert.InRange(frame.Length, 1, FrameLimits.MaxFrameBytes);
            FrameHeader.Seal(frame.Span, 1);
            Assert.Equal(FrameRefusal.None, FrameHeader.Read(frame.Span, out var header));
            var reader = new RowFrameReader(frame.Span, header);
            Assert.True(reader.MoveNext() && reader.Refusal == FrameRefusal.None);
            got.AddRange(reader.Current.Payload);
        }

        Assert.Equal(payload, got.ToArray());
    }

    [Fact]
    public void Append_InvalidRunOrTooWideRow_ThrowsNamingIt()
    {
        using var builder = new RowFrameBuilder(Pool, 4096);
        Assert.Contains("BadPosition", Assert.Throws<ArgumentException>(() => builder.Append(Run with { First = -1 }, out _)).Message, StringComparison.Ordinal);
        Assert.Contains("does not fit", Assert.Throws<ArgumentException>(() => builder.Append(Run with { Width = 4096 }, out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FlowFrame_StateWithIntervals_RoundTrips()
    {
        using var builder = new FlowFrameBuilder(Pool);
        var state = new FlowMessage(FlowMessageKind.State, Run.Session, Run.Epoch, 7, 40, AddsOnly: true);
        var ack = new FlowMessage(FlowMessageKind.Ack, Run.Session, Run.Epoch, 7, 41);
        Assert.True(builder.Append(state, [new PositionRange(0, 3), new PositionRange(5, 40)]));
        Assert.True(builder.Append(ack));
        using var frame = builder.Complete()!;
        FrameHeader.Seal(frame.Span, 1);
        Assert.Equal(FrameRefusal.None, FrameHeader.Read(frame.Span, out var header));

        var reader = new FlowFrameReader(frame.Span, header, new PositionRange[FrameLimits.MaxWantIntervals]);
        Assert.True(reader.MoveNext());
        Assert.Equal(state, reader.Current);
        Assert.Equal([new PositionRange(0, 3), new PositionRange(5, 40)], reader.Want.ToArray());
        Assert.True(reader.MoveNext());
        Assert.Equal(ack, reader.Current);
        Assert.False(reader.MoveNext());
    }

    [Theory]
    [InlineData(5, 3)]   // empty
    [InlineData(0, 41)]  // above applied
    public void FlowFrame_BadIntervals_AreRefused(int start, int end)
    {
        using var builder = new FlowFrameBuilder(Pool);
        builder.Append(new FlowMessage(FlowMessageKind.State, Run.Session, Run.Epoch, 7, 40), [new PositionRange(start, end)]);
        using var frame = builder.Complete()!;
        FrameHeader.Seal(frame.Span, 1);
        FrameHeader.Read(frame.Span, out var header);

        var reader = new FlowFrameReader(frame.Span, header, new PositionRange[FrameLimits.MaxWantIntervals]);
        Assert.True(reader.MoveNext());
        Assert.Equal(FrameRefusal.BadIntervals, reader.Refusal);
    }

    [Fact]
    public void HelloAndHeartbeat_RoundTrip()
    {
        using var frame = HelloFrame.Create("peer-ä", 77).ToFrame(Pool);
        FrameHeader.Seal(frame.Span, 1);
        Assert.Equal(FrameRefusal.None, FrameHeader.Read(frame.Span, out var header));
        Assert.Equal(FrameRefusal.None, HelloFrame.Read(frame.Span, header, out var hello));
        Assert.Equal(HelloFrame.Create("peer-ä", 77), hello);
        Assert.True(hello!.IsCompatible);
        Assert.False((hello with { LowestMajor = 2, HighestMajor = 3 }).IsCompatible);
        frame.Span[^1] = 0xFF;
        Assert.Equal(FrameRefusal.BadPeerId, HelloFrame.Read(frame.Span, header, out _));

        var beat = new HeartbeatFrame(true, 12, 77, 1L << 40);
        using var beatFrame = beat.ToFrame(Pool);
        FrameHeader.Seal(beatFrame.Span, 1);
        FrameHeader.Read(beatFrame.Span, out header);
        Assert.Equal(FrameRefusal.None, HeartbeatFrame.Read(beatFrame.Span, header, out var read));
        Assert.Equal(beat, read);
    }

    /// <summary>Changes of a good frame with a good checksum, so that the fuzz gets past it: no exception, no endless loop, bounded runs.</summary>
    [Fact]
    public void Readers_MutatedFrames_NeverThrowAndStayWithinTheFrame()
    {
        using var rows = Build(sealNumber: 1, runs: 5);
        using var builder = new FlowFrameBuilder(Pool);
        for (var i = 0; i < 4; i++)
        {
            builder.Append(new FlowMessage(FlowMessageKind.State, Run.Session, Run.Epoch, 7, 40), [new PositionRange(0, 3), new PositionRange(5, 9)]);
        }

        using var flow = builder.Complete()!;
        var random = new Random(5);
        var want = new PositionRange[FrameLimits.MaxWantIntervals];
        var refused = 0;
        for (var round = 0; round < 60_000; round++)
        {
            var frame = (round % 2 == 0 ? rows : flow).Span.ToArray();
            if (random.Next(4) == 0)
            {
                frame = frame[..random.Next(frame.Length)];
            }

            for (var change = random.Next(1, 5); change > 0 && frame.Length > 0; change--)
            {
                frame[random.Next(frame.Length)] = random.Next(3) switch { 0 => 0xFF, 1 => 0, _ => (byte)random.Next(256) };
            }

            if (frame.Length >= 56 && random.Next(8) != 0)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(frame, FrameHeader.Magic);
                (frame[4], frame[5]) = (1, 1);
                BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(12), frame.Length - BinaryPrimitives.ReadUInt16LittleEndian(frame.AsSpan(8)));
                Reseal(frame);
            }

            if (FrameHeader.Read(frame, out var header) != FrameRefusal.None)
            {
                refused++;
                continue;
            }

            var steps = 0;
            var rowReader = new RowFrameReader(frame, header);
            while (rowReader.MoveNext())
            {
                Assert.True(++steps <= FrameLimits.MaxRuns + 1);
                Assert.True(rowReader.Refusal != FrameRefusal.None || rowReader.Current.Payload.Length == rowReader.Current.Head.Count * rowReader.Current.Head.RowBytes);
            }

            var flowReader = new FlowFrameReader(frame, header, want);
            while (flowReader.MoveNext())
            {
                Assert.True(++steps <= 2 * (FrameLimits.MaxRuns + 1));
            }

            HelloFrame.Read(frame, header with { Type = FrameType.Hello }, out _);
            HeartbeatFrame.Read(frame, header with { Type = FrameType.Heartbeat }, out _);
        }

        Assert.InRange(refused, 100, 59_000);
    }

    private static TensorBuffer Build(ulong sealNumber, int runs = 1)
    {
        using var builder = new RowFrameBuilder(Pool);
        for (var i = 0; i < runs; i++)
        {
            Assert.Equal(2, builder.Append(Run, [100, 101], 17, [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18]));
        }

        var frame = builder.Complete(new TraceContext(
            BinaryPrimitives.ReadUInt128BigEndian(Enumerable.Range(0, 16).Select(i => (byte)i).ToArray()), 0x1011121314151617, 1))!;
        FrameHeader.Seal(frame.Span, sealNumber);
        return frame;
    }

    private static void Reseal(byte[] frame) =>
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(16), FrameHeader.Checksum(frame));

    private static void AssertOneGoodRun(byte[] frame, FrameHeader header)
    {
        var reader = new RowFrameReader(frame, header);
        Assert.True(reader.MoveNext());
        Assert.Equal(FrameRefusal.None, reader.Refusal);
        Assert.Equal(Run, reader.Current.Head);
        Assert.Equal([100, 101], reader.Current.TokenIds.ToArray());
        Assert.Equal(18, reader.Current.Payload[^1]);
        Assert.False(reader.MoveNext());
    }
}
