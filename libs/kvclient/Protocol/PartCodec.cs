using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Buffers;

namespace Parallax.KvClient.Protocol;

/// <summary>
/// Messages with a part in protobuf's own encoding, written from and read into the part's buffer: its bytes are copied once on
/// each side, and nothing is allocated for them. What is read is untrusted.
/// </summary>
internal static class PartCodec
{
    /// <summary>Bytes of a message with the largest part at most.</summary>
    public const int MostMessageBytes = PartLimits.MostPartBytes + 1024;

    /// <summary>Bytes of a hash or a tenant.</summary>
    public const int HashBytes = 16;

    private const byte AddressTag = (KvPart.AddressFieldNumber << 3) | 2;
    private const byte ChecksumTag = (KvPart.ChecksumFieldNumber << 3) | 5;
    private const byte PayloadTag = (KvPart.PayloadFieldNumber << 3) | 2;
    private const int MostHeaderBytes = 64;

    /// <summary>Bytes of a message whose one field is this part.</summary>
    public static int Measure(PartFrame part)
    {
        var inner = InnerBytes(part);
        return 1 + VarintBytes((uint)inner) + inner;
    }

    /// <summary>Writes a message whose one field is a part.</summary>
    /// <param name="field">The field's number, below 16.</param>
    /// <param name="part">The part.</param>
    /// <param name="output">Where.</param>
    public static void Write(int field, PartFrame part, IBufferWriter<byte> output)
    {
        var span = output.GetSpan(MostHeaderBytes);
        var at = 0;
        span[at++] = (byte)((field << 3) | 2);
        at += WriteVarint(span[at..], (uint)InnerBytes(part));
        span[at++] = AddressTag;
        at += WriteVarint(span[at..], (uint)AddressBytes(part.Address));
        span[at++] = (KvPartAddress.HashFieldNumber << 3) | 2;
        span[at++] = HashBytes;
        BinaryPrimitives.WriteUInt128LittleEndian(span[at..], part.Address.Hash);
        at += HashBytes;
        span[at++] = KvPartAddress.KindFieldNumber << 3;
        span[at++] = (byte)part.Address.Kind;
        span[at++] = KvPartAddress.LayerFieldNumber << 3;
        at += WriteVarint(span[at..], (uint)part.Address.Layer);
        span[at++] = ChecksumTag;
        BinaryPrimitives.WriteUInt32LittleEndian(span[at..], part.Checksum);
        at += sizeof(uint);
        span[at++] = PayloadTag;
        at += WriteVarint(span[at..], (uint)part.Payload.Length);
        output.Advance(at);
        output.Write(part.Payload.Span);
    }

    /// <summary>Reads a message whose one field is a part.</summary>
    /// <param name="message">The message.</param>
    /// <param name="field">The field's number, below 16.</param>
    /// <param name="rent">Gives the buffer for the bytes.</param>
    /// <returns>The part; null when the message does not begin with this field.</returns>
    /// <exception cref="InvalidDataException">It is no such message.</exception>
    public static PartFrame? Read(in ReadOnlySequence<byte> message, int field, Func<int, PartBuffer> rent)
    {
        var reader = new SequenceReader<byte>(message);
        if (!reader.TryPeek(out var tag) || tag != ((field << 3) | 2))
        {
            return null;
        }

        reader.Advance(1);
        if (ReadVarint(ref reader) != (ulong)reader.Remaining)
        {
            throw Malformed();
        }

        PartBuffer? payload = null;
        try
        {
            PartAddress? address = null;
            uint? checksum = null;
            while (reader.TryRead(out tag))
            {
                switch (tag)
                {
                    case AddressTag when address is null:
                        address = ReadAddress(ReadBytes(ref reader));
                        break;
                    case ChecksumTag when checksum is null:
                        checksum = reader.TryReadLittleEndian(out int value) ? (uint)value : throw Malformed();
                        break;
                    case PayloadTag when payload is null:
                        var bytes = ReadBytes(ref reader);
                        if (bytes.Length is < 1 or > PartLimits.MostPartBytes)
                        {
                            throw Malformed();
                        }

                        payload = rent((int)bytes.Length);
                        bytes.CopyTo(payload.Span);
                        break;
                    default:
                        throw Malformed();
                }
            }

            if (address is not { } where || payload is null)
            {
                throw Malformed();
            }

            var part = new PartFrame(where, checksum ?? 0, payload.Memory, payload);
            payload = null;
            return part;
        }
        finally
        {
            payload?.Dispose();
        }
    }

    /// <summary>An address in the form of the generated messages.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static PartAddress ReadAddress(KvPartAddress? address) => address is not { Kind: KvPartKind.Kv or KvPartKind.Outputs }
        ? throw Malformed()
        : new PartAddress(ReadHash(address.Hash), (PartKind)address.Kind, address.Layer);

    /// <summary>A hash.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static UInt128 ReadHash(ByteString bytes) => bytes is { Length: HashBytes } ? BinaryPrimitives.ReadUInt128LittleEndian(bytes.Span) : throw Malformed();

    /// <summary>A hash as it travels.</summary>
    public static ByteString WriteHash(UInt128 hash)
    {
        var bytes = new byte[HashBytes];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, hash);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    /// <summary>An address as it travels.</summary>
    public static KvPartAddress WriteAddress(PartAddress address) =>
        new() { Hash = WriteHash(address.Hash), Kind = (KvPartKind)address.Kind, Layer = address.Layer };

    private static PartAddress ReadAddress(ReadOnlySequence<byte> bytes)
    {
        try
        {
            return ReadAddress(KvPartAddress.Parser.ParseFrom(bytes));
        }
        catch (InvalidProtocolBufferException)
        {
            throw Malformed();
        }
    }

    private static int InnerBytes(PartFrame part)
    {
        var address = AddressBytes(part.Address);
        return 1 + VarintBytes((uint)address) + address + 1 + sizeof(uint) + 1 + VarintBytes((uint)part.Payload.Length) + part.Payload.Length;
    }

    private static int AddressBytes(PartAddress address) => 1 + 1 + HashBytes + 1 + 1 + 1 + VarintBytes((uint)address.Layer);

    private static ReadOnlySequence<byte> ReadBytes(ref SequenceReader<byte> reader)
    {
        var length = ReadVarint(ref reader);
        if (length > (ulong)reader.Remaining)
        {
            throw Malformed();
        }

        var bytes = reader.UnreadSequence.Slice(0, (long)length);
        reader.Advance((long)length);
        return bytes;
    }

    private static ulong ReadVarint(ref SequenceReader<byte> reader)
    {
        var value = 0UL;
        for (var shift = 0; shift < 35; shift += 7)
        {
            if (!reader.TryRead(out var part))
            {
                break;
            }

            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }

        throw Malformed();
    }

    private static int WriteVarint(Span<byte> bytes, uint value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7)
        {
            bytes[at++] = (byte)(value | 0x80);
        }

        bytes[at++] = (byte)value;
        return at;
    }

    private static int VarintBytes(uint value) => value switch { < 1 << 7 => 1, < 1 << 14 => 2, < 1 << 21 => 3, < 1 << 28 => 4, _ => 5 };

    private static InvalidDataException Malformed() => new("This is no message of the KV cache.");
}
