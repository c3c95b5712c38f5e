using System.Buffers;
using CsCheck;
using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Buffers;
using Parallax.KvClient.Protocol;

namespace Parallax.UnitTests.KvClient;

/// <summary>The hand-written encoding is protobuf's: what one writes the other reads.</summary>
public sealed class PartCodecTests
{
    private static readonly PartBufferPool Pool = new(1 << 20);

    private static readonly Gen<PartFrame> GenPart = Gen.Select(
        Gen.ULong, Gen.ULong, Gen.Bool, Gen.Int[0, PartAddress.MostLayers - 1], Gen.UInt, Gen.Byte.Array[1, 3000], static (high, low, isKv, layer, checksum, payload) =>
            new PartFrame(new PartAddress(new UInt128(high, low), isKv ? PartKind.Kv : PartKind.Outputs, layer), checksum, payload));

    [Fact]
    public void Part_WrittenHere_IsReadByProtobuf() => GenPart.Sample(part =>
    {
        var output = new ArrayBufferWriter<byte>();
        PartCodec.Write(KvPutRequest.PartFieldNumber, part, output);
        Assert.Equal(PartCodec.Measure(part), output.WrittenCount);

        var read = KvPutRequest.Parser.ParseFrom(output.WrittenSpan).Part;
        Assert.Equal(PartCodec.WriteAddress(part.Address), read.Address);
        Assert.Equal(part.Checksum, read.Checksum);
        Assert.Equal(part.Payload.ToArray(), read.Payload.ToByteArray());
    });

    [Fact]
    public void Part_WrittenByProtobuf_IsReadHere() => Gen.Select(GenPart, Gen.Int[1, 100]).Sample((part, pieces) =>
    {
        var message = new KvGetReply
        {
            Part = new KvPart { Address = PartCodec.WriteAddress(part.Address), Checksum = part.Checksum, Payload = ByteString.CopyFrom(part.Payload.Span) },
        };
        var read = PartCodec.Read(Sequence(message.ToByteArray(), pieces), KvGetReply.PartFieldNumber, Pool.Rent);
        Assert.Equal((part.Address, part.Checksum), (read!.Address, read.Checksum));
        Assert.Equal(part.Payload.ToArray(), read.Payload.ToArray());
        read.Buffer!.Dispose();
    });

    [Fact]
    public void Message_WithoutAPart_IsLeftToOthers()
    {
        Assert.Null(PartCodec.Read(new ReadOnlySequence<byte>([]), KvGetReply.PartFieldNumber, Pool.Rent));
        var reserve = new KvPutRequest { Reserve = new KvReserve { LeaseMs = 5 } }.ToByteArray();
        Assert.Null(PartCodec.Read(new ReadOnlySequence<byte>(reserve), KvPutRequest.PartFieldNumber, Pool.Rent));
    }

    [Fact]
    public void Message_CutOrDamaged_IsRefusedOrRead_AndKeepsNoBuffer() => Gen.Select(GenPart, Gen.Int[0, 3100], Gen.Int[0, 200], Gen.Byte).Sample((part, cut, at, flip) =>
    {
        var output = new ArrayBufferWriter<byte>();
        PartCodec.Write(1, part, output);
        var bytes = output.WrittenSpan[..Math.Min(cut, output.WrittenCount)].ToArray();
        if (at < bytes.Length)
        {
            bytes[at] ^= flip;
        }

        var pool = new PartBufferPool(0);
        try
        {
            PartCodec.Read(new ReadOnlySequence<byte>(bytes), 1, pool.Rent)?.Buffer!.Dispose();
        }
        catch (InvalidDataException)
        {
            // That is what it is to say of such bytes.
        }

        Assert.Equal(0, pool.Outstanding);
    });

    private static ReadOnlySequence<byte> Sequence(byte[] bytes, int pieceBytes)
    {
        var first = new Piece(bytes.AsMemory(0, Math.Min(pieceBytes, bytes.Length)), 0);
        var last = first;
        for (var at = first.Memory.Length; at < bytes.Length; at += pieceBytes)
        {
            last = last.Append(bytes.AsMemory(at, Math.Min(pieceBytes, bytes.Length - at)));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
