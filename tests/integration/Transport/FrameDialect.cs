using System.Buffers.Binary;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.IntegrationTests.Transport;

/// <summary>Frames as another minor version of the format writes them, made byte by byte from this build's.</summary>
internal abstract class FrameDialect
{
    /// <summary>1.0: a header without frame number.</summary>
    public static FrameDialect Older => new Version10();

    /// <summary>
    /// A 1.9 that may come: a longer header, longer heads of runs, messages, Hello and heartbeat, a body behind Goodbye, and
    /// every flag bit that this build does not know set.
    /// </summary>
    public static FrameDialect Newer => new Version19();

    /// <summary>The whole frame, checksummed; frames are numbered in the order of the calls.</summary>
    public abstract byte[] Write(TensorBuffer frame);

    /// <summary>The body of a frame of any minor, found by the two lengths alone.</summary>
    public static ReadOnlySpan<byte> Body(ReadOnlySpan<byte> frame) => frame.Slice(
        BinaryPrimitives.ReadUInt16LittleEndian(frame[8..]), (int)BinaryPrimitives.ReadUInt32LittleEndian(frame[12..]));

    protected static byte[] Seal(byte[] frame, byte minor, int headerLength)
    {
        frame[5] = minor;
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(8), (ushort)headerLength);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(12), frame.Length - headerLength);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(16), FrameHeader.Checksum(frame));
        return frame;
    }

    private sealed class Version10 : FrameDialect
    {
        public override byte[] Write(TensorBuffer frame)
        {
            var body = Body(frame.Span).ToArray();
            if (frame.Span[6] == (byte)FrameType.Hello)
            {
                body[6] = 0; // its own minor
            }

            return Seal([.. frame.Span[..48], .. body], minor: 0, headerLength: 48);
        }
    }

    private sealed class Version19 : FrameDialect
    {
        private const byte Minor = 9;
        private static readonly byte[] Appended = [0xA5, 0x5A, 0xFF, 0x01, 0x80, 0x7F, 0x00, 0xEE];
        private ulong _number;

        public override byte[] Write(TensorBuffer frame)
        {
            byte[] header = [.. frame.Span[..56], .. Appended];
            header[44] = 0xFF; // trace flags
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(48), ++_number);
            var body = Body(frame.Span).ToArray();
            byte[] longer = (FrameType)header[6] switch
            {
                FrameType.Rows => Items(body, lengthBytes: 4, GrowRun),
                FrameType.Flow => Items(body, lengthBytes: 2, GrowMessage),
                FrameType.Hello => GrowHello(body),
                FrameType.Heartbeat => GrowHeartbeat(body),
                _ => [.. body, .. Appended],
            };
            return Seal([.. header, .. longer], Minor, header.Length);
        }

        // Both kinds of body: a count, two bytes, and items that begin with their length.
        private static byte[] Items(byte[] body, int lengthBytes, Func<byte[], byte[]> grow)
        {
            List<byte> result = [.. body[..4]];
            for (var at = 4; at < body.Length;)
            {
                var length = lengthBytes == 4 ? BitConverter.ToInt32(body, at) : BitConverter.ToUInt16(body, at);
                result.AddRange(grow(body[at..(at + length)]));
                at += length;
            }

            return [.. result];
        }

        private static byte[] GrowRun(byte[] run)
        {
            var head = BitConverter.ToUInt16(run, 4);
            var count = BitConverter.ToInt32(run, 64);
            byte[] longer = [.. run[..head], .. Appended, .. run[head..]];
            BinaryPrimitives.WriteInt32LittleEndian(longer, longer.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(longer.AsSpan(4), (ushort)(head + Appended.Length));
            foreach (ref var flags in longer.AsSpan(head + Appended.Length + (count * 4), count))
            {
                flags |= 0xFE;
            }

            return longer;
        }

        private static byte[] GrowMessage(byte[] message)
        {
            var head = BitConverter.ToUInt16(message, 2);
            byte[] longer = [.. message[..head], .. Appended, .. message[head..]];
            BinaryPrimitives.WriteUInt16LittleEndian(longer, (ushort)longer.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(longer.AsSpan(2), (ushort)(head + Appended.Length));
            longer[5] |= 0xFE;
            return longer;
        }

        private static byte[] GrowHello(byte[] body)
        {
            var fixedPart = BitConverter.ToUInt16(body);
            byte[] longer = [.. body[..fixedPart], .. Appended, .. body[fixedPart..], .. Appended]; // behind the id, too
            BinaryPrimitives.WriteUInt16LittleEndian(longer, (ushort)(fixedPart + Appended.Length));
            longer[6] = Minor;
            return longer;
        }

        private static byte[] GrowHeartbeat(byte[] body)
        {
            byte[] longer = [.. body, .. Appended];
            BinaryPrimitives.WriteUInt16LittleEndian(longer, (ushort)longer.Length);
            longer[2] |= 0xFE;
            longer[3] = 0xFF;
            return longer;
        }
    }
}
