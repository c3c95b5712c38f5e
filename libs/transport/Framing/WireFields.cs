using System.Buffers.Binary;
using Parallax.Contracts.Identifiers;

namespace Parallax.Transport.Framing;

/// <summary>Fields that several messages share: ids big-endian, as text shows them; numbers little-endian.</summary>
internal static class WireFields
{
    public const int SessionBytes = 16;
    public const int EpochBytes = 28;

    public static SessionId ReadSession(ReadOnlySpan<byte> bytes) => new(new Guid(bytes[..16], bigEndian: true));

    public static void WriteSession(Span<byte> bytes, SessionId session) =>
        session.Value.TryWriteBytes(bytes, bigEndian: true, out _);

    public static Epoch ReadEpoch(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt64LittleEndian(bytes),
        new Guid(bytes.Slice(8, 16), bigEndian: true),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]));

    public static void WriteEpoch(Span<byte> bytes, in Epoch epoch)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, epoch.Term);
        epoch.RouterId.TryWriteBytes(bytes[8..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[24..], epoch.N);
    }
}
