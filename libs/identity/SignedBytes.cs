using System.Buffers.Binary;
using System.Text;

namespace Parallax.Identity;

/// <summary>What keys of a swarm sign: each kind begins with a line of its own, so that none passes for another.</summary>
internal static class SignedBytes
{
    public static byte[] Token(ReadOnlySpan<byte> fields) => [.. "parallax/token/1\n"u8, .. fields];

    public static byte[] Join(string token) => [.. "parallax/join/1\n"u8, .. Encoding.UTF8.GetBytes(token)];

    public static byte[] Revocations(ReadOnlySpan<byte> list) => [.. "parallax/revocations/1\n"u8, .. list];

    public static byte[] Statement(string purpose, long signedAtMs, ReadOnlySpan<byte> payload)
    {
        Span<byte> time = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(time, signedAtMs);
        return [.. "parallax/statement/1\n"u8, .. Encoding.UTF8.GetBytes(purpose), 0, .. time, .. payload];
    }
}
