using System.Buffers.Binary;
using Parallax.Contracts.V1;

namespace Parallax.Contracts.Identifiers;

/// <summary>Identifiers in their wire form and back.</summary>
public static class SessionRefs
{
    /// <summary>The wire form of a session at an epoch, addressed to (or spoken by) a worker incarnation; 0 for any.</summary>
    public static SessionRef Create(SessionId session, Epoch epoch, long incarnation)
    {
        var (idHigh, idLow) = Split(session.Value);
        return new SessionRef { IdHigh = idHigh, IdLow = idLow, Epoch = ToWire(epoch), Incarnation = incarnation };
    }

    /// <summary>The session's id.</summary>
    public static SessionId ToSessionId(this SessionRef reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new SessionId(Join(reference.IdHigh, reference.IdLow));
    }

    /// <summary>The epoch; one that is absent on the wire is the lowest of all.</summary>
    public static Epoch ToEpoch(this SessionRef reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return reference.Epoch is { } epoch
            ? new Epoch(epoch.Term, Join(epoch.RouterHigh, epoch.RouterLow), epoch.N)
            : default;
    }

    /// <summary>The two halves of an id, most significant first.</summary>
    public static (ulong High, ulong Low) Split(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }

    /// <summary>The id of two halves, most significant first.</summary>
    public static Guid Join(ulong high, ulong low)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], low);
        return new Guid(bytes, bigEndian: true);
    }

    private static V1.Epoch ToWire(Epoch epoch)
    {
        var (high, low) = Split(epoch.RouterId);
        return new V1.Epoch { Term = epoch.Term, RouterHigh = high, RouterLow = low, N = epoch.N };
    }
}
